import type { Viewer } from './viewer.ts';

/**
 * A program waits while a viewer that counts is this far behind. Small, because all of it lies between a Ctrl-C and
 * its effect on the screen (a page that draws 5 MiB/s needs 25 ms for it); large enough to keep a fast one busy.
 */
export const PAUSE_BEHIND = 128 * 1024;
/** … and goes on when it is no further behind than this. */
export const RESUME_BEHIND = 64 * 1024;
/**
 * A viewer that makes no progress for so long (ms) is stalled, if others wait with the program: the program goes on, and
 * the viewer gets what the ring still has when it reads again. A viewer that is alone is waited for.
 */
export const STALLED_AFTER_MS = 5_000;

/**
 * Decides whether a program may run on. It waits for every viewer that is looked at and makes progress; it does not wait
 * where none is looked at, and a viewer that has stalled holds up no others.
 */
export class FlowControl {
  readonly #changed: () => void;
  /** By viewer: since when the program has waited for it without any progress (ms). */
  readonly #waiting = new Map<Viewer, number>();
  #running = true;
  #timer: NodeJS.Timeout | undefined;
  /** Viewers that count and keep up. */
  #keepingUp = 0;

  /** @param changed called when a viewer has stalled */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  mayRun(viewers: ReadonlySet<Viewer>, head: number): boolean {
    const limit = this.#running ? PAUSE_BEHIND : RESUME_BEHIND;
    this.#running = true;
    this.#keepingUp = 0;
    for (const viewer of viewers) {
      const behind = viewer.counts && (head - viewer.acked > limit || viewer.blocked);
      if (behind) {
        this.#running = false;
        if (!this.#waiting.has(viewer)) this.#waiting.set(viewer, performance.now());
      } else {
        this.#waiting.delete(viewer);
        if (viewer.counts) this.#keepingUp += 1;
      }
    }
    for (const viewer of this.#waiting.keys()) {
      if (!viewers.has(viewer)) this.#waiting.delete(viewer);
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#look(), STALLED_AFTER_MS);
    return this.#running;
  }

  /** A viewer has made progress. */
  progress(viewer: Viewer): void {
    if (this.#waiting.has(viewer)) this.#waiting.set(viewer, performance.now());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    let wait = Number.POSITIVE_INFINITY;
    for (const [viewer, since] of this.#waiting) {
      const left = since + STALLED_AFTER_MS - now;
      if (left > 1 || this.#keepingUp === 0) {
        wait = Math.min(wait, left > 1 ? left : STALLED_AFTER_MS);
        continue;
      }
      this.#waiting.delete(viewer);
      viewer.stalled = true;
    }
    if (wait < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#look(), wait);
    this.#changed();
  }
}
