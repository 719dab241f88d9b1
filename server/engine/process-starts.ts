import pLimit, { type LimitFunction } from 'p-limit';
import { withAbort } from '../base/deadline.ts';

/** Room for the parts of a page, each asked for by a process of its own; a start takes 40 to 60 ms of a processor. */
const MOST_AT_ONCE = 8;

/**
 * Starts of processes in containers, a few at a time in each. An engine goes on with one that it was asked for, whoever
 * gives it up: it keeps its turn until the engine has answered. On a machine where a start takes longer than anybody
 * waits, a container would otherwise have one more for each attempt, until the machine's memory is full.
 */
export class ProcessStarts {
  /** The containers in which one is under way or waits. */
  readonly #containers = new Map<string, { readonly turns: LimitFunction; runs: number }>();

  /**
   * Starts one when its turn has come.
   *
   * @param drop ends one that came after it was given up
   * @throws the signal's reason, at once; whatever `start` throws
   */
  async run<T>(
    container: string,
    signal: AbortSignal | undefined,
    start: () => Promise<T>,
    drop: (late: T) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    const known = this.#containers.get(container) ?? { turns: pLimit(MOST_AT_ONCE), runs: 0 };
    this.#containers.set(container, known);
    known.runs += 1;
    const started = known.turns(() => {
      signal?.throwIfAborted();
      return start();
    });
    const over = (): void => {
      known.runs -= 1;
      if (known.runs === 0) this.#containers.delete(container);
    };
    started.then(over, over);
    if (!signal) return await started;
    try {
      return await withAbort(signal, () => started);
    } catch (error) {
      if (signal.aborted) started.then(drop, () => undefined);
      throw error;
    }
  }
}
