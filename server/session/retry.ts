import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';

/** A look that failed is followed by the next after these times; the last one holds for all that follow. */
const LOOK_AGAIN_MS = [500, 2_000, 5_000, 15_000, 30_000] as const;

export interface ReconcileLoopOptions {
  /** Compares the sandbox with what it should be, and repairs it. Rejects where it could not. */
  readonly look: (signal: AbortSignal) => Promise<void>;
  /**
   * A look failed.
   *
   * @param failures how many have failed one after the other, this one included
   * @returns whether to look again
   */
  readonly onFailure: (error: unknown, failures: number) => boolean;
  readonly background: Background;
  /** Aborted when the sandbox is no longer the session's. */
  readonly signal: AbortSignal;
}

/**
 * Looks at a sandbox until it is as it should be: after its start, at a take-up, when a host has died. Looks never
 * overlap. It only repairs; a look that fails is followed by another and destroys nothing.
 */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  /** The look that has not begun yet, which every request since then waits for. */
  #next: PromiseWithResolvers<void> | undefined;
  #isRunning = false;
  /** Aborted by a request that comes while the next look is waited for. */
  #wait = new AbortController();

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  /**
   * Settles when a look that began after this call has succeeded.
   *
   * @throws what the last look said, where there is to be no other; the signal's reason
   */
  request(): Promise<void> {
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    promise.catch(() => undefined);
    this.#wait.abort();
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#options.background.run('reconcile', () => this.#run());
    }
    return promise;
  }

  async #run(): Promise<void> {
    try {
      while (this.#next) {
        const waiting = this.#next;
        this.#next = undefined;
        await this.#untilItSucceeds().then(waiting.resolve, waiting.reject);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #untilItSucceeds(): Promise<void> {
    const { look, onFailure, signal } = this.#options;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      try {
        return await look(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!onFailure(error, failures)) throw error;
        this.#wait = new AbortController();
        const milliseconds = LOOK_AGAIN_MS[Math.min(failures, LOOK_AGAIN_MS.length) - 1] ?? 0;
        const ended = AbortSignal.any([signal, this.#wait.signal]);
        await sleep(milliseconds, ended).catch(() => signal.throwIfAborted());
      }
    }
  }
}
