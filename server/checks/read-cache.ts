import type { SignalBody } from '#lab';
import { type Dependency, stales } from './dependencies.ts';

/**
 * An engine may tell of a change a moment before each of its answers shows it (its list of containers does so after a
 * `die`). An answer that is asked for so soon is used and not kept.
 */
const SETTLING_MS = 100;
/** A lab's checks ask for some tens of things. A check that asks under ever new names must not fill the memory. */
const KEPT_MOST = 1_000;

/**
 * All that is remembered between a check and the hosts: the answers that no signal has touched since. A signal changes
 * little of what a lab's checks look at. When every round asked for everything, twenty requests followed each event of
 * an engine and the tick waited among them (`npm run bench:checks`).
 */
export class ReadCache {
  readonly #answers = new Map<Dependency, Map<string, unknown>>();
  /** When it was invalidated last, in ms of `performance.now()`. */
  readonly #invalidated = new Map<Dependency, number>();
  #allInvalidated = Number.NEGATIVE_INFINITY;

  /** Something happened: what it can have changed is asked for again. `undefined` stands for anything. */
  invalidate(signal: SignalBody | undefined): void {
    const now = performance.now();
    if (!signal) {
      for (const read of this.#answers.keys()) if (!isFixed(read)) this.#answers.delete(read);
      this.#allInvalidated = now;
      return;
    }
    for (const read of stales(signal)) {
      this.#answers.delete(read);
      this.#invalidated.set(read, now);
    }
  }

  /** The answers for one round of checks that begins now. The round sees one state of the hosts: it asks nothing twice. */
  forRound(): RoundCache {
    const began = performance.now();
    const asked = new Map<string, Promise<unknown>>();
    return {
      answer: <T>(
        read: Dependency,
        what: string,
        ask: () => Promise<T>,
        isCacheable: (answer: T) => boolean | Promise<boolean> = () => true,
      ): Promise<T> => {
        const key = `${read} ${what}`;
        const known = asked.get(key) as Promise<T> | undefined;
        if (known) return known;
        const answer = this.#answer(read, what, began, ask, isCacheable);
        asked.set(key, answer);
        return answer;
      },
    };
  }

  async #answer<T>(
    read: Dependency,
    what: string,
    began: number,
    ask: () => Promise<T>,
    isCacheable: (answer: T) => boolean | Promise<boolean>,
  ): Promise<T> {
    const kept = this.#answers.get(read);
    if (kept?.has(what)) return kept.get(what) as T;
    const answer = frozen(await ask());
    if ((await isCacheable(answer)) && began > this.#lastInvalidated(read) + SETTLING_MS) {
      this.#keep(read, what, answer);
    }
    return answer;
  }

  #lastInvalidated(read: Dependency): number {
    return Math.max(this.#allInvalidated, this.#invalidated.get(read) ?? this.#allInvalidated);
  }

  #keep(read: Dependency, what: string, answer: unknown): void {
    const kept = this.#answers.get(read) ?? new Map<string, unknown>();
    if (kept.size >= KEPT_MOST) kept.clear();
    kept.set(what, answer);
    this.#answers.set(read, kept);
  }
}

/** The answers that one round of checks has. */
export interface RoundCache {
  /**
   * The answer that is known, or a new one. A new one is kept unless a signal has touched it since the round began.
   *
   * @param what tells the answers of one dependency apart
   * @param isCacheable whether an answer stays right until a signal comes; some change with time alone
   */
  answer<T>(
    read: Dependency,
    what: string,
    ask: () => Promise<T>,
    isCacheable?: (answer: T) => boolean | Promise<boolean>,
  ): Promise<T>;
}

/** An image is found here by its id, which is made of its content: no time changes it. */
function isFixed(read: Dependency): boolean {
  return read.startsWith('images of ');
}

/** All checks are given the same answer, so none may change it for the others. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
