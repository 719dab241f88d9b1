import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import type { ReadBudget } from './read-budget.ts';

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

/**
 * The Docker Engine on which hosts are created. Everything that Quayside asks of it goes through here, and the one
 * primitive that all else in a host rides on is {@link Engine.dial}.
 */
export interface Engine {
  /** As `DOCKER_HOST` would name it. */
  readonly address: string;
  readonly docker: Dockerode;

  /** Whether it does not answer at all, or not within seconds. @throws the signal's reason */
  isAway(signal?: AbortSignal): Promise<boolean>;

  /**
   * A duplex stream to a process in a container, until the signal is aborted. No port is opened, and it works for a
   * remote engine as well.
   */
  dial(
    container: string,
    argv: readonly string[],
    options?: ProcessOptions,
  ): Promise<DialedProcess>;

  /**
   * Runs a process in a container to its end and returns what it printed.
   *
   * @throws OutputLimitError where that is more than a MiB; the signal's reason; whatever the engine said
   */
  run(
    container: string,
    argv: readonly string[],
    options?: ProcessOptions & { readonly input?: string },
  ): Promise<ProcessResult>;

  /**
   * Starts a container that lives as long as its stdin is held: the engine removes it when the line is closed, or when
   * this process is gone, however it went. Its program has to end with its stdin. Disposing settles when it is removed.
   */
  attend(options: Dockerode.ContainerCreateOptions, signal?: AbortSignal): Promise<ProcessLine>;

  /**
   * A client for the engine inside a container; connections are kept and shared.
   *
   * @param socket where that engine listens on this machine too, if it does; else all goes over {@link Engine.dial}
   * @param budget bounds what is read of it; one that went over it refuses all requests for some seconds
   */
  nested(container: string, socket?: string, budget?: ReadBudget): Dockerode;

  /** Starts, ends and pauses of containers that carry `label`, from now until `signal` is aborted or the engine goes away. */
  events(label: string, signal: AbortSignal): AsyncGenerator<EngineEvent>;
}
