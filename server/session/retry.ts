import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';

/** A look that failed is followed by the next after these times; the last one holds for all that follow. */
const LOOK_AGAIN_MS = [500, 2_000, 5_000, 15_000, 30_000] as const;

/** What a loop goes by. */
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
  #endWait: () => void = () => undefined;

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
    this.#endWait();
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
        await this.#wait(LOOK_AGAIN_MS[Math.min(failures, LOOK_AGAIN_MS.length) - 1] ?? 0);
      }
    }
  }

  /** A request that comes during the wait ends it. */
  async #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#options;
    const early = new AbortController();
    this.#endWait = () => early.abort();
    try {
      await sleep(milliseconds, AbortSignal.any([signal, early.signal]));
    } catch {
      signal.throwIfAborted();
    } finally {
      this.#endWait = () => undefined;
    }
  }
}

/** What the learner is told of a start that failed for good. */
export function failureOf(error: unknown): { readonly reason: string; readonly remedy: string } {
  if (error instanceof QuaysideError) return { reason: error.message, remedy: error.remedy };
  return {
    reason: `The hosts could not be started: ${messageOf(error)}`,
    remedy: 'Try again. If it fails again, the server’s log says more.',
  };
}

/** An error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
