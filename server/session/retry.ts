import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';

/**
 * A look that failed is followed by the next after these times; the last one holds for all that follow. Who asks for a
 * look has news, such as an engine that is back: the times begin anew, so that a look which fails just then is not
 * followed by the wait that a long outage has come to.
 */
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
  /** Those who have asked since the last look began. */
  #asked: PromiseWithResolvers<void> | undefined;
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
    this.#asked ??= Promise.withResolvers();
    const { promise } = this.#asked;
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
      while (this.#asked) await this.#untilItSucceeds();
    } finally {
      this.#isRunning = false;
    }
  }

  /** Looks, for all who have asked before the look that succeeds. */
  async #untilItSucceeds(): Promise<void> {
    const { look, onFailure, signal } = this.#options;
    const waiting: PromiseWithResolvers<void>[] = [];
    try {
      for (let failures = 1, waits = 0; ; failures++, waits++) {
        if (this.#asked) {
          waiting.push(this.#asked);
          this.#asked = undefined;
          waits = 0;
        }
        signal.throwIfAborted();
        try {
          await look(signal);
          break;
        } catch (error) {
          signal.throwIfAborted();
          if (!onFailure(error, failures)) throw error;
        }
        const wait = this.#asked ? 0 : Math.min(waits, LOOK_AGAIN_MS.length - 1);
        await this.#pause(LOOK_AGAIN_MS[wait] ?? 0);
      }
      for (const each of waiting) each.resolve();
    } catch (error) {
      for (const each of waiting) each.reject(error);
    }
  }

  /** @throws the signal's reason */
  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#options;
    this.#wait = new AbortController();
    const ended = AbortSignal.any([signal, this.#wait.signal]);
    await sleep(milliseconds, ended).catch(() => signal.throwIfAborted());
  }
}
