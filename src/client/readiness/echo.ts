import { ECHO_PATH } from '#protocol';
import type { Dial, Transport } from '../transport.ts';

/** For a link to be let in and to hear something. A page says within 10 s what is the matter. */
const COMES_THROUGH_MS = 4_000;
/** Enough to tell a line that stalls now and then from one that does not. */
const TRIES = 20;
/** A slow line is known to be one after this. */
const TRYING_MS = 4_000;

/** A link that says everything again: for measuring, and no more. */
export class Echo {
  readonly #link: Transport;
  readonly #opened = Promise.withResolvers<boolean>();
  #answered: PromiseWithResolvers<boolean> | undefined;
  #aheadMs: number | undefined;

  constructor(dial: Dial) {
    const began = Date.now();
    this.#link = dial(ECHO_PATH, {
      opened: () => undefined,
      message: (data) => {
        if (typeof data === 'string') {
          // It was said between the two; half-way is nearest to the truth.
          this.#aheadMs = (began + Date.now()) / 2 - (JSON.parse(data) as { now: number }).now;
          this.#opened.resolve(true);
        } else this.#answered?.resolve(true);
      },
      closed: () => {
        this.#opened.resolve(false);
        this.#answered?.resolve(false);
      },
    });
  }

  /** How far this device's clock is ahead of the server's, once that has said its time (ms). */
  get aheadMs(): number | undefined {
    return this.#aheadMs;
  }

  /** Whether it is let in and hears something. */
  async comesThrough(): Promise<boolean> {
    const timer = setTimeout(() => this.#opened.resolve(false), COMES_THROUGH_MS);
    const comes = await this.#opened.promise;
    clearTimeout(timer);
    return comes;
  }

  /** One key after the other, each when the one before has come back. @returns how long each took (ms) */
  async times(): Promise<readonly number[]> {
    const taken: number[] = [];
    const deadline = performance.now() + TRYING_MS;
    while (taken.length < TRIES && performance.now() < deadline) {
      const sent = performance.now();
      const answered = Promise.withResolvers<boolean>();
      this.#answered = answered;
      const timer = setTimeout(() => answered.resolve(false), TRYING_MS);
      this.#link.send(new Uint8Array([taken.length]));
      const came = await answered.promise;
      clearTimeout(timer);
      if (!came) break;
      taken.push(performance.now() - sent);
    }
    return taken;
  }

  close(): void {
    this.#link.close();
  }
}
