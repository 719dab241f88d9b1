import { sleep } from '../base/deadline.ts';

const MS_PER_SECOND = 1_000;

/** So many at once, and so many a second from then on (a token bucket). */
export class Pace {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #countedAt = Date.now();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Takes one, where there is one. */
  take(): boolean {
    const now = Date.now();
    const earned = (Math.max(0, now - this.#countedAt) / MS_PER_SECOND) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Waits until there is one, and takes it. @throws the signal's reason */
  async turn(signal: AbortSignal): Promise<void> {
    while (!this.take()) await sleep(MS_PER_SECOND / this.#perSecond, signal);
  }
}
