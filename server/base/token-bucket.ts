import { sleep } from './deadline.ts';

const MS_PER_SECOND = 1_000;

/** So much at once, and so much a second from then on. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #countedAt = Date.now();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Takes an amount. @returns false, and takes nothing, where there is not so much */
  take(amount = 1): boolean {
    this.#count();
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }

  /** Milliseconds until there is one; 0 where there is one now. */
  get wait(): number {
    this.#count();
    return Math.max(0, Math.ceil(((1 - this.#left) * MS_PER_SECOND) / this.#perSecond));
  }

  /** Whether nothing is taken that has not come back since. */
  get isFull(): boolean {
    this.#count();
    return this.#left === this.#burst;
  }

  /** Waits until there is one, and takes it. @throws the signal's reason */
  async turn(signal: AbortSignal): Promise<void> {
    while (!this.take()) await sleep(MS_PER_SECOND / this.#perSecond, signal);
  }

  #count(): void {
    const now = Date.now();
    const earned = (Math.max(0, now - this.#countedAt) / MS_PER_SECOND) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#countedAt = now;
  }
}
