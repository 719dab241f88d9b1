/** Keeps a note of what went wrong, for the operator. */
export type FailureLog = (message: string, error: unknown) => void;

/**
 * The owner of all work that nobody awaits. A failure there is logged and counted, and never ends the process: Node
 * ends it at any rejection that has no owner, and with it the hosts' server for a whole class.
 */
export class Background {
  readonly #log: FailureLog;
  readonly #running = new Map<Promise<void>, string>();
  readonly #failures = new Map<string, number>();

  constructor(log: FailureLog) {
    this.#log = log;
  }

  /** How often each work has failed, by its name. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** The names of the works under way. */
  get running(): readonly string[] {
    return [...this.#running.values()];
  }

  /**
   * Starts a work that nobody awaits. Never throws.
   *
   * @param name what the log and the counter call it; a fixed word for each place in the code
   * @param signal once aborted, a failure of the work is expected and neither logged nor counted
   */
  run(name: string, work: () => unknown, signal?: AbortSignal): void {
    const done = this.#attempt(name, work, signal).finally(() => this.#running.delete(done));
    this.#running.set(done, name);
  }

  /** A callback for a timer, a socket or an emitter: what it throws is logged and counted, and goes no further. */
  guard<Args extends readonly unknown[]>(
    name: string,
    callback: (...args: Args) => void,
  ): (...args: Args) => void {
    return (...args) => {
      try {
        callback(...args);
      } catch (error) {
        this.fail(name, error);
      }
    };
  }

  /** Logs and counts a failure that its work goes on after, such as one try of several. */
  fail(name: string, error: unknown): void {
    this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1);
    this.#log(name, error);
  }

  /** Settles when nothing is under way any more, works that began meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
  }

  async #attempt(name: string, work: () => unknown, signal?: AbortSignal): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (signal?.aborted !== true) this.fail(name, error);
    }
  }
}
