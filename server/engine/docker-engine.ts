import type { Duplex } from 'node:stream';
import Dockerode from 'dockerode';
import { QuaysideError } from '../base/errors.ts';
import { connected, DialAgent } from './dial-agent.ts';
import type {
  DialedProcess,
  Engine,
  EngineEvent,
  ProcessLine,
  ProcessOptions,
  ProcessResult,
} from './engine.ts';
import { engineCall, ping } from './engine-call.ts';
import { jsonLines } from './lines.ts';
import { readAll } from './output-limit.ts';
import { ProcessStream } from './process-stream.ts';
import { ReadBudget } from './read-budget.ts';
import { limitRequests } from './requests.ts';

/** An engine answers a ping in milliseconds, and in a second on a machine that is full of starts. */
const PING_MS = 5_000;
/** A container that lost its stdin is removed in well under a second; a stuck engine must not hold a server that stops. */
const REMOVAL_MS = 10_000;
/** The engine describes a container in 2 to 8 KiB; a class of fifty has two hundred. */
const ANSWER_BYTES = 32 * 1024 ** 2;
/** A host runs some ten containers; this is room for a hundred. */
const NESTED_ANSWER_BYTES = 1024 ** 2;
/** Programs that are run for their output print some KiB. */
const RUN_BYTES = 1024 ** 2;

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

  /** @param docker the client to ask it with; one for `address`, if not given */
  constructor(address: string, docker?: Dockerode) {
    this.address = address;
    this.docker = docker ?? limitRequests(clientFor(address), { answerBytes: ANSWER_BYTES });
  }

  async isAway(signal?: AbortSignal): Promise<boolean> {
    try {
      await engineCall(signal, (abortSignal) => ping(this.docker, abortSignal), PING_MS);
      return false;
    } catch {
      signal?.throwIfAborted();
      return true;
    }
  }

  async dial(
    container: string,
    argv: readonly string[],
    { user, env, signal, budget }: ProcessOptions = {},
  ): Promise<DialedProcess> {
    const exec = await engineCall(signal, (abortSignal) =>
      this.docker.getContainer(container).exec({
        Cmd: [...argv],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        ...(user ? { User: user } : {}),
        ...(env ? { Env: [...env] } : {}),
        abortSignal,
      }),
    );
    const connection = await engineCall(signal, (abortSignal) =>
      exec.start({ hijack: true, stdin: true, Tty: false, abortSignal }),
    );
    const stream = new ProcessStream(connection, budget);
    const closed = closing(stream);
    const stop = () => stream.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    stream.once('close', () => signal?.removeEventListener('abort', stop));
    let exited: Promise<number> | undefined;
    return {
      stream,
      stderr: () => stream.stderr,
      get exited() {
        exited ??= closed.then(async () => {
          const { ExitCode } = await engineCall(signal, (abortSignal) =>
            exec.inspect({ abortSignal }),
          );
          return ExitCode ?? -1;
        });
        return exited;
      },
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
    let stdout: Buffer;
    try {
      stdout = await readAll(dialed.stream, RUN_BYTES);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw brokenOff(error);
    }
    options.signal?.throwIfAborted();
    return { status: await dialed.exited, stdout: stdout.toString(), stderr: dialed.stderr() };
  }

  async attend(
    options: Dockerode.ContainerCreateOptions,
    signal?: AbortSignal,
  ): Promise<ProcessLine> {
    signal?.throwIfAborted();
    // Its creation is never broken off: a container that was created after all would stay.
    const container = await engineCall(undefined, (abortSignal) =>
      this.docker.createContainer({
        ...options,
        OpenStdin: true,
        StdinOnce: true,
        HostConfig: { ...options.HostConfig, AutoRemove: true },
        abortSignal,
      }),
    );
    let stream: ProcessStream | undefined;
    try {
      const connection = await engineCall(signal, (abortSignal) =>
        container.attach({
          stream: true,
          hijack: true,
          stdin: true,
          stdout: true,
          stderr: true,
          abortSignal,
        }),
      );
      stream = new ProcessStream(connection as Duplex);
      await engineCall(signal, (abortSignal) => container.start({ abortSignal }));
    } catch (error) {
      stream?.destroy();
      // One that never ran is not removed by itself.
      const remove = (abortSignal: AbortSignal) => container.remove({ force: true, abortSignal });
      await engineCall(undefined, remove, REMOVAL_MS).catch(() => undefined);
      throw error;
    }
    const line = stream;
    return {
      stream: line,
      [Symbol.asyncDispose]: async () => {
        line.destroy();
        const removed = (abortSignal: AbortSignal) =>
          container.wait({ condition: 'removed', abortSignal });
        // Gone already, or the engine itself is: either way nothing is left to wait for.
        await engineCall(undefined, removed, REMOVAL_MS).catch(() => undefined);
      },
    };
  }

  nested(container: string, socket?: string, budget?: ReadBudget): Dockerode {
    const dialed = async (): Promise<Duplex> => {
      const argv = ['socat', '-', 'UNIX-CONNECT:/run/docker.sock'];
      return (await this.dial(container, argv)).stream;
    };
    // Every option is given, so that a DOCKER_HOST in this process's environment is not used.
    const options = {
      host: 'localhost',
      port: 2375,
      protocol: 'http' as const,
      agent: new DialAgent(() => (socket === undefined ? dialed() : connected(socket, dialed))),
    };
    return limitRequests(new Dockerode(options), {
      answerBytes: NESTED_ANSWER_BYTES,
      budget: budget ?? new ReadBudget(),
    });
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

/** Settles when a stream is over, in whatever way. Its reader gets the error. */
function closing(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    for (const end of ['close', 'end', 'error']) stream.once(end, () => resolve());
  });
}

/** Node reports a connection that ended in the middle as "Premature close"; a person needs a cause and a remedy. */
function brokenOff(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') return error;
  return new QuaysideError(
    'SANDBOX_FAILED',
    'The engine broke off in the middle of its answer.',
    'Try again. If it happens again, look whether the engine still runs: docker ps',
    { cause: error },
  );
}
