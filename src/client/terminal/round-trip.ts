/** So many of the last round trips are heeded: one that was held up on its way is not the line's. */
const HEEDED = 4;
/** A key that comes so soon after the last (times the longest) may be answered by the last one's echo. */
const APART = 1.5;

/** How long the server's answer takes over this terminal's link, in ms. */
export class RoundTrip {
  #since: number | undefined;
  #lastSent = Number.NEGATIVE_INFINITY;
  #last: readonly number[] = [];

  /** The shortest of the last few; 0 while none is known. */
  get least(): number {
    return this.#last.length === 0 ? 0 : Math.min(...this.#last);
  }

  /** The longest of the last few, at most twice the shortest: more than that is a delay of the server's own. */
  get most(): number {
    return Math.min(Math.max(0, ...this.#last), 2 * this.least);
  }

  /** Something is sent that is answered at once. */
  sent(): void {
    const now = performance.now();
    if (now - this.#lastSent > APART * this.most) this.#since ??= now;
    this.#lastSent = now;
  }

  /** Something has come. */
  came(): void {
    if (this.#since === undefined) return;
    this.add(performance.now() - this.#since);
    this.#since = undefined;
  }

  /** One was measured. */
  add(ms: number): void {
    this.#last = [ms, ...this.#last.slice(0, HEEDED - 1)];
  }
}
