import pLimit, { type LimitFunction } from 'p-limit';
import { withAbort } from '../base/deadline.ts';

/** Room for the parts of a page, each asked for by a process of its own; a start takes 40 to 60 ms of a processor. */
const MOST_AT_ONCE = 8;

/** What an engine has been asked to run. */
interface Begun {
  /** Settles when it runs, or has ended; it does not reject. */
  readonly started: Promise<void>;
}

/**
 * Starts of processes in containers, a few at a time in each. An engine goes on with one that it was asked for, whoever
 * gives it up: it keeps its turn until it runs. On a machine where a start takes longer than anybody waits, a container
 * would otherwise have one more for each attempt, until the machine's memory is full.
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
  async run<T extends Begun>(
    container: string,
    signal: AbortSignal | undefined,
    start: () => Promise<T>,
    drop: (late: T) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    const known = this.#containers.get(container) ?? { turns: pLimit(MOST_AT_ONCE), runs: 0 };
    this.#containers.set(container, known);
    known.runs += 1;
    const asked = Promise.withResolvers<T>();
    const turn = known.turns(async () => {
      try {
        signal?.throwIfAborted();
        const begun = await start();
        asked.resolve(begun);
        await begun.started;
      } catch (error) {
        asked.reject(error);
      }
    });
    const over = (): void => {
      known.runs -= 1;
      if (known.runs === 0) this.#containers.delete(container);
    };
    turn.then(over, over);
    if (!signal) return await asked.promise;
    try {
      return await withAbort(signal, () => asked.promise);
    } catch (error) {
      if (signal.aborted) asked.promise.then(drop, () => undefined);
      throw error;
    }
  }
}
