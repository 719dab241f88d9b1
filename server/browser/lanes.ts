import { QuaysideError } from '../base/errors.ts';

/** Lets a few through at once and a few more wait, so that one page cannot start processes without end. */
export class Lanes {
  #free: number;
  readonly #waitingMost: number;
  readonly #waiting: (() => void)[] = [];

  constructor(lanes: number, waitingMost: number) {
    this.#free = lanes;
    this.#waitingMost = waitingMost;
  }

  /** @throws QuaysideError TOO_MANY where the queue is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMost) {
      throw new QuaysideError(
        'TOO_MANY',
        'The browser pane is still loading too much at once.',
        'Wait for it, then reload the page.',
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
