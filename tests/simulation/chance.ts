import { seeded } from '../fixtures/random.ts';

/** Decisions that one seed makes. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** 0 ≤ n < 1. */
  number(): number {
    return this.#random();
  }

  /** True so often. */
  odds(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1));
  }

  /** A time between both, most often near the lower one: short waits meet each other, long ones outlast deadlines. */
  time(low: number, high: number): number {
    return Math.round(low * (high / low) ** this.#random());
  }

  pick<T>(all: readonly T[]): T {
    const one = all[Math.floor(this.#random() * all.length)];
    if (one === undefined) throw new RangeError('nothing to pick from');
    return one;
  }
}
