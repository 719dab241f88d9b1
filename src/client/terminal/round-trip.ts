/** So many of the last round trips are heeded: one that was held up on its way is not the line's. */
const HEEDED = 4;
/** With so many known, the shortest is left out: other output that came right after a key made it. */
const ENOUGH = 3;
/** A key that comes so soon after the last (times the longest that is heeded) may be answered by the last one's echo. */
const APART = 1.5;

/** How long the server's answer takes over this terminal's link, in ms. */
export class RoundTrip {
  #since: number | undefined;
  #lastSent = Number.NEGATIVE_INFINITY;
  #last: readonly number[] = [];

  /** The shortest of the last few but one; of one or two the shortest; 0 while none is known. */
  get least(): number {
    const shortestFirst = this.#last.toSorted((one, other) => one - other);
    return shortestFirst[shortestFirst.length < ENOUGH ? 0 : 1] ?? 0;
  }

  /** The longest of the last few, at most twice the least: more than that is a delay of the server's own. */
  get most(): number {
    return Math.min(Math.max(0, ...this.#last), 2 * this.least);
  }

  /** Something is sent that is answered at once. */
  sent(): void {
    const now = performance.now();
    if (now - this.#lastSent > APART * Math.max(0, ...this.#last)) this.#since ??= now;
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
