import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Dockerode from 'dockerode';
import { sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import { createClient } from './client.ts';
import { DialAgent, dialed } from './dial-agent.ts';
import { engineCall } from './engine-call.ts';
import { jsonLines, readAll } from './output-limit.ts';
import { ProcessStarts } from './process-starts.ts';
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

/** The engine in a host is never woken by whoever only asks it (images/lab-host/init). */
const CONNECT_IF_AWAKE =
  '[ ! -e /run/quayside/asleep ] && exec socat - UNIX-CONNECT:/run/docker.sock';
/** A start takes 40 to 60 ms; then less and less often. */
const STARTED_POLL_MS = { first: 60, most: 4_000 } as const;
/** An engine that has not started a process by then has lost it. */
const STARTED_MS = 600_000;

/** Only this folder imports the client itself; the others take its types from here. */
export type { Dockerode };

/** How a process in a container is run. */
export interface ProcessOptions {
  readonly user?: string;
  readonly env?: readonly string[];
  readonly signal?: AbortSignal;
  /** Bounds what is read of it. */
  readonly budget?: ReadBudget;
}

/** How a process in a container ended. */
export interface ProcessResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The stdin and stdout of a process in a container. Disposing it closes the stream. */
export interface ProcessLine extends AsyncDisposable {
  readonly stream: Duplex;
  /** Settles when the process runs, where its line may be there before. It does not reject. */
  readonly started?: Promise<void>;
}

/** A running process in a container, and how it will end. */
export interface DialedProcess extends ProcessLine {
  stderr(): string;
  /** The exit status, once the stream has ended. */
  readonly exited: Promise<number>;
}

/** An event of the engine's own containers. */
export interface EngineEvent {
  readonly action: string;
  readonly container: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** How an engine on another machine is used that is reached over ssh only, or over TLS. */
export const FORWARD_REMEDY =
  'For an engine on another machine, forward its socket: ssh -fnNT -L /tmp/engine.sock:/var/run/docker.sock user@host, then DOCKER_HOST=unix:///tmp/engine.sock npm start';

/** `docker` with a client for the engine at `address` (`unix:///…` or `tcp://host:port`). */
function clientFor(address: string): Dockerode {
  const url = new URL(address);
  if (url.protocol === 'unix:') return createClient({ socketPath: url.pathname });
  if (url.protocol === 'tcp:' || url.protocol === 'http:') {
    return createClient({ host: url.hostname, port: Number(url.port || 2375), protocol: 'http' });
  }
  throw new QuaysideError(
    'CONFIG_INVALID',
    `The engine's address ${address} is of a kind that Quayside cannot use.`,
    `Set DOCKER_HOST to unix:///path/to/docker.sock or tcp://host:port. ${FORWARD_REMEDY}`,
  );
}

/**
 * The Docker Engine on which hosts are created, reached over its HTTP API. Everything that Quayside asks of it goes
 * through here, and the one primitive that all else in a host rides on is {@link Engine.dial}.
 */
export class Engine {
  /** As `DOCKER_HOST` would name it. */
  readonly address: string;
  readonly docker: Dockerode;
  /** Its socket is here and it is not: a relay passes it on (server/swarm). */
  readonly isRelayed: boolean;
  readonly #starts = new ProcessStarts();

  /** @param docker the client to ask it with; one for `address`, if not given */
  constructor(address: string, docker?: Dockerode, { isRelayed = false } = {}) {
    this.address = address;
    this.isRelayed = isRelayed;
    this.docker = docker ?? limitRequests(clientFor(address), { answerBytes: ANSWER_BYTES });
  }

  /** Settles when it answers. @throws the signal's reason; why it does not answer, within seconds */
  async ping(signal?: AbortSignal): Promise<void> {
    // dockerode takes options here; its types leave them out.
    const docker = this.docker as unknown as { ping(options: object): Promise<unknown> };
    await engineCall(signal, (abortSignal) => docker.ping({ abortSignal }), PING_MS);
  }

  /** Whether it does not answer at all, or not within seconds. @throws the signal's reason */
  async isAway(signal?: AbortSignal): Promise<boolean> {
    try {
      await this.ping(signal);
      return false;
    } catch {
      signal?.throwIfAborted();
      return true;
    }
  }

  /**
   * A duplex stream to a process in a container, until the signal is aborted. No port is opened, and it works for a
   * remote engine as well.
   */
  async dial(
    container: string,
    argv: readonly string[],
    { user, env, signal, budget }: ProcessOptions = {},
  ): Promise<DialedProcess> {
    const abortable = signal ? { abortSignal: signal } : {};
    const start = async () => {
      const exec = await this.docker.getContainer(container).exec({
        Cmd: [...argv],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        ...(user ? { User: user } : {}),
        ...(env ? { Env: [...env] } : {}),
      });
      // One that nobody wants any more is not started: it would run in the host.
      signal?.throwIfAborted();
      const connection = await exec.start({ hijack: true, stdin: true, Tty: false });
      const stream = new ProcessStream(connection, budget);
      return { exec, stream, started: untilStarted(exec, connection) };
    };
    const { exec, stream, started } = await engineCall(signal, (limited) =>
      this.#starts.run(container, limited, start, (late) => late.stream.destroy()),
    );
    // Its reader gets the error.
    const closed = finished(stream, { writable: false }).catch(() => undefined);
    if (signal) addAbortSignal(signal, stream);
    let exited: Promise<number> | undefined;
    return {
      stream,
      started,
      stderr: () => stream.stderr,
      get exited() {
        exited ??= closed.then(async () => (await exec.inspect({ ...abortable })).ExitCode ?? -1);
        return exited;
      },
      [Symbol.asyncDispose]: async () => {
        stream.destroy();
        await closed;
      },
    };
  }

  /**
   * Runs a process in a container to its end and returns what it printed.
   *
   * @throws OutputLimitError where that is more than a MiB; the signal's reason; whatever the engine said
   */
  async run(
    container: string,
    argv: readonly string[],
    { input, ...options }: ProcessOptions & { readonly input?: string } = {},
  ): Promise<ProcessResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    await using dialed = await this.dial(container, argv, options);
    dialed.stream.end(input);
    const stdout = await readAll(dialed.stream, RUN_BYTES).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw brokenOff(error);
    });
    signal?.throwIfAborted();
    return { status: await dialed.exited, stdout: stdout.toString(), stderr: dialed.stderr() };
  }

  /**
   * Starts a container that lives as long as its stdin is held: the engine removes it when the line is closed, or when
   * this process is gone, however it went. Its program has to end with its stdin. Disposing settles when it is removed.
   */
  async attend(
    options: Dockerode.ContainerCreateOptions,
    signal?: AbortSignal,
  ): Promise<ProcessLine> {
    signal?.throwIfAborted();
    const abortable = signal ? { abortSignal: signal } : {};
    // Its creation is never broken off: a container that was created after all would stay.
    const container = await this.docker.createContainer({
      ...options,
      OpenStdin: true,
      StdinOnce: true,
      // What it says comes over the line, and need not be kept as well.
      HostConfig: {
        ...options.HostConfig,
        AutoRemove: true,
        LogConfig: { Type: 'none', Config: {} },
      },
    });
    let stream: ProcessStream | undefined;
    try {
      const streams = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true };
      const connection = await container.attach({ ...streams, ...abortable });
      stream = new ProcessStream(connection as Duplex);
      await container.start({ ...abortable });
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

  /**
   * A client for the engine inside a container; connections are kept and shared.
   *
   * @param socket where that engine listens on this machine too, if it does; else all goes over {@link Engine.dial}
   * @param budget bounds what is read of it; one that went over it refuses all requests for some seconds
   */
  nested(container: string, socket?: string, budget = new ReadBudget()): Dockerode {
    const byExec = dialed(async () => {
      const argv = ['sh', '-c', CONNECT_IF_AWAKE];
      return (await this.dial(container, argv)).stream;
    });
    // Every option is given, so that a DOCKER_HOST in this process's environment is not used.
    const options = {
      host: 'localhost',
      port: 2375,
      protocol: 'http' as const,
      // A host that an older version has made shares no socket.
      agent: new DialAgent(() =>
        socket !== undefined && existsSync(socket) ? connect(socket) : byExec(),
      ),
    };
    return limitRequests(createClient(options), { answerBytes: NESTED_ANSWER_BYTES, budget });
  }

  /**
   * Starts, ends and pauses of containers that carry `label`, from now until `signal` is aborted or the engine goes away.
   * A short pause and its end may be told twice: the engine (20.10) tells them when asked, and when its runtime has told it.
   */
  async *events(label: string, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const stream = await this.docker.getEvents({
      filters: { type: ['container'], event: ['start', 'die', 'pause', 'unpause'], label: [label] },
      abortSignal: signal,
    });
    try {
      for await (const { Action, Actor } of jsonLines<{
        Action?: string;
        Actor?: { ID?: string; Attributes?: Record<string, string> };
      }>(stream)) {
        const { ID = '', Attributes = {} } = Actor ?? {};
        yield { action: Action ?? '', container: ID, labels: Attributes };
      }
    } catch (error) {
      if (!signal.aborted) throw brokenOff(error);
    }
  }
}

/**
 * Settles when a process runs, or has ended. An engine gives the connection away before it starts the process; it tells
 * the process's id once it has.
 */
async function untilStarted(exec: Dockerode.Exec, connection: Duplex): Promise<void> {
  let hasEnded = false;
  connection.once('end', () => {
    hasEnded = true;
  });
  let waited = 0;
  for (let wait = STARTED_POLL_MS.first; waited < STARTED_MS; wait *= 2) {
    const pause = Math.min(wait, STARTED_POLL_MS.most);
    await sleep(pause);
    waited += pause;
    if (hasEnded) return;
    const state = await exec.inspect().catch(() => undefined);
    if (state?.Pid !== 0 || state.ExitCode !== null) return;
  }
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
