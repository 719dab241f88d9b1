import { Agent } from 'node:http';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import Dockerode from 'dockerode';
import { deadline, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type {
  DialedProcess,
  Engine,
  EngineEvent,
  ProcessLine,
  ProcessOptions,
  ProcessResult,
} from './engine.ts';
import { jsonLines } from './json-lines.ts';
import { ProcessStream } from './process-stream.ts';

/** An engine answers a ping in milliseconds, and in a second on a machine that is full of starts. */
const PING_MS = 5_000;
/** What lost its stdin is gone in well under a second; a stuck engine must not hold a server that stops. */
const REMOVAL_MS = 10_000;

/** `docker` with a client for the engine at `address` (`unix:///…` or `tcp://host:port`). */
function clientFor(address: string): Dockerode {
  const url = new URL(address);
  if (url.protocol === 'unix:') return new Dockerode({ socketPath: url.pathname });
  if (url.protocol === 'tcp:' || url.protocol === 'http:') {
    return new Dockerode({ host: url.hostname, port: Number(url.port || 2375), protocol: 'http' });
  }
  throw new QuaysideError(
    'CONFIG_INVALID',
    `The engine's address ${address} is of a kind that Quayside cannot use.`,
    'Set DOCKER_HOST to unix:///path/to/docker.sock or tcp://host:port.',
  );
}

/** An engine that is reached over its HTTP API. */
export class DockerEngine implements Engine {
  readonly address: string;
  readonly docker: Dockerode;

  constructor(address: string) {
    this.address = address;
    this.docker = clientFor(address);
  }

  async isAway(signal?: AbortSignal): Promise<boolean> {
    using limit = deadline(PING_MS, signal);
    try {
      await withAbort(limit.signal, () => this.docker.ping());
      return false;
    } catch {
      signal?.throwIfAborted();
      return true;
    }
  }

  async dial(
    container: string,
    argv: readonly string[],
    options: ProcessOptions = {},
  ): Promise<DialedProcess> {
    const exec = await this.docker.getContainer(container).exec({
      Cmd: [...argv],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      ...(options.user ? { User: options.user } : {}),
      ...(options.env ? { Env: [...options.env] } : {}),
    });
    const stream = new ProcessStream(await exec.start({ hijack: true, stdin: true, Tty: false }));
    options.signal?.addEventListener('abort', () => stream.destroy(), { once: true });
    const closed = closing(stream);
    const exited = closed.then(async () => (await exec.inspect()).ExitCode ?? -1);
    // Many never ask how it ended; that the engine is gone by then must not take the server along.
    exited.catch(() => undefined);
    return {
      stream,
      stderr: () => stream.stderr,
      exited,
      [Symbol.asyncDispose]: async () => {
        stream.destroy();
        await closed;
      },
    };
  }

  async run(
    container: string,
    argv: readonly string[],
    options: ProcessOptions & { readonly input?: string } = {},
  ): Promise<ProcessResult> {
    options.signal?.throwIfAborted();
    const { input, ...rest } = options;
    await using dialed = await this.dial(container, argv, rest);
    dialed.stream.end(input);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of dialed.stream) chunks.push(chunk as Buffer);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw brokenOff(error);
    }
    options.signal?.throwIfAborted();
    return {
      status: await dialed.exited,
      stdout: Buffer.concat(chunks).toString(),
      stderr: dialed.stderr(),
    };
  }

  async attend(options: Dockerode.ContainerCreateOptions): Promise<ProcessLine> {
    const container = await this.docker.createContainer({
      ...options,
      OpenStdin: true,
      StdinOnce: true,
      HostConfig: { ...options.HostConfig, AutoRemove: true },
    });
    let stream: ProcessStream | undefined;
    try {
      const wire = await container.attach({
        stream: true,
        hijack: true,
        stdin: true,
        stdout: true,
        stderr: true,
      });
      stream = new ProcessStream(wire as Duplex);
      await container.start();
    } catch (error) {
      stream?.destroy();
      // One that never ran is not removed by itself.
      await container.remove({ force: true }).catch(() => undefined);
      throw error;
    }
    const line = stream;
    return {
      stream: line,
      [Symbol.asyncDispose]: async () => {
        line.destroy();
        const abortSignal = AbortSignal.timeout(REMOVAL_MS);
        // Gone already, or the engine itself is: either way nothing is left to wait for.
        await container.wait({ condition: 'removed', abortSignal }).catch(() => undefined);
      },
    };
  }

  nested(container: string, socket?: string): Dockerode {
    const dialed = async (): Promise<Duplex> => {
      const argv = ['socat', '-', 'UNIX-CONNECT:/run/docker.sock'];
      return (await this.dial(container, argv)).stream;
    };
    // All of it is said, so that a DOCKER_HOST in our own environment is not taken for the host's engine.
    const options = {
      host: 'localhost',
      port: 2375,
      protocol: 'http' as const,
      agent: new DialAgent(() => (socket === undefined ? dialed() : connected(socket, dialed))),
    };
    return new Dockerode(options);
  }

  async *events(label: string, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const stream = await this.docker.getEvents({
      filters: { type: ['container'], event: ['start', 'die', 'pause', 'unpause'], label: [label] },
      abortSignal: signal,
    });
    try {
      for await (const event of jsonLines<{
        Action?: string;
        Actor?: { ID?: string; Attributes?: Record<string, string> };
      }>(stream)) {
        yield {
          action: event.Action ?? '',
          container: event.Actor?.ID ?? '',
          labels: event.Actor?.Attributes ?? {},
        };
      }
    } catch (error) {
      if (!signal.aborted) throw brokenOff(error);
    }
  }
}

/** Settles when a stream is over, in whatever way; whoever reads it gets the error as well. */
function closing(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    for (const end of ['close', 'end', 'error']) stream.once(end, () => resolve());
  });
}

/** Node calls a stream that ended in the middle "Premature close", which tells a reader nothing. */
function brokenOff(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') return error;
  return new QuaysideError(
    'SANDBOX_FAILED',
    'The engine broke off in the middle of its answer.',
    'Try again. If it happens again, look whether the engine still runs: docker ps',
    { cause: error },
  );
}

/** How many connections a host's engine is asked over at once; a check's questions are many and short. */
const NESTED_CONNECTIONS = 4;

class DialAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;

  constructor(connect: () => Promise<Duplex>) {
    // The events stream holds one connection for ever, so it must not count against the askers: they get their own.
    super({
      keepAlive: true,
      maxSockets: NESTED_CONNECTIONS + 1,
      maxFreeSockets: NESTED_CONNECTIONS,
    });
    this.#connect = connect;
  }

  /**
   * docker-modem spells out every request's options for its debug log, read or not. The agent, with all that hangs on
   * its sockets, took a whole core there; its name is enough.
   */
  [inspect.custom](): string {
    return 'DialAgent';
  }

  override createConnection(
    _options: object,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): null {
    this.#connect().then(
      (stream) => callback?.(null, stream),
      // Its status code, where it has one, is an answer of another engine than the one that was asked.
      (cause: Error) => callback?.(new Error('no connection', { cause }), new Duplex()),
    );
    return null;
  }
}

/** A connection to a socket on this machine; a host made by an older version has none there, and is dialed. */
function connected(path: string, otherwise: () => Promise<Duplex>): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') otherwise().then(resolve, reject);
      else reject(error);
    };
    socket.once('error', onError);
  });
}
