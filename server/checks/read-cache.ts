import type { SignalBody } from '#lab';
import { type Dependency, stales } from './invalidation.ts';

/**
 * An engine may tell of a change a moment before each of its answers shows it (its list of containers does so after a
 * `die`). What is asked so soon is used and not kept.
 */
const SETTLING_MS = 100;

/**
 * What the hosts have said and no signal has touched since. A signal changes little of what a lab's checks look at, and
 * an engine that has just made a container has better to do than to describe all its networks once more: when every
 * round asked for everything, twenty requests followed each event and the tick waited among them
 * (`npm run bench:checks`).
 */
export class ReadCache {
  readonly #answers = new Map<Dependency, Map<string, unknown>>();
  /** When it was forgotten last, in ms of `performance.now()`. */
  readonly #forgotten = new Map<Dependency, number>();
  #allForgotten = Number.NEGATIVE_INFINITY;

  /** Something happened: what it can have changed is asked again. `undefined` is for anything. */
  invalidate(signal: SignalBody | undefined): void {
    const now = performance.now();
    if (!signal) {
      this.#answers.clear();
      this.#allForgotten = now;
      return;
    }
    for (const read of stales(signal)) {
      this.#answers.delete(read);
      this.#forgotten.set(read, now);
    }
  }

  /** What a round that begins now takes from here, and leaves here. */
  forRound(): RoundCache {
    const began = performance.now();
    return {
      answer: async (read, what, ask, holds = () => true) => {
        const known = this.#answers.get(read);
        if (known?.has(what)) return known.get(what) as Awaited<ReturnType<typeof ask>>;
        const answer = await ask();
        if (holds(answer) && began > this.#lastForgotten(read) + SETTLING_MS) {
          this.#keep(read, what, answer);
        }
        return answer;
      },
    };
  }

  #lastForgotten(read: Dependency): number {
    return Math.max(this.#allForgotten, this.#forgotten.get(read) ?? this.#allForgotten);
  }

  #keep(read: Dependency, what: string, answer: unknown): void {
    const known = this.#answers.get(read) ?? new Map<string, unknown>();
    known.set(what, answer);
    this.#answers.set(read, known);
  }
}

export interface RoundCache {
  /**
   * The answer that is known, else a new one. That is kept unless a signal has touched it since the round began: a round
   * asks nothing twice, so the answer may be as old as that.
   *
   * @param what tells the questions of one kind of read apart
   * @param holds whether an answer stays right until a signal comes; some change with time alone
   */
  answer<T>(
    read: Dependency,
    what: string,
    ask: () => Promise<T>,
    holds?: (answer: T) => boolean,
  ): Promise<T>;
}
