import type { Background } from '../base/background.ts';
import { Timers } from '../base/timers.ts';

/** How long before its end a learner is told. */
const WARNING_MS = 5 * 60_000;
/** How much longer one press of Extend makes a session whose whole time is limited. */
const EXTENSION_MS = 30 * 60_000;

/**
 * A command in the foreground of a terminal holds an idle session for so long: a build that prints nothing, an editor with
 * what is not saved. A shell on another host, or a log that nobody reads, does not hold it for ever.
 */
const FOREGROUND_MS = 24 * 3_600_000;
/** An end that could not be kept, because the disk was full, is tried again after this. */
const END_AGAIN_MS = 10_000;

/** How long a session may last; 0 is without limit. */
export interface Limits {
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A session's coming end. */
export interface Expiry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly because: 'idle' | 'total';
}

/** What the learner is told of it. */
export const WHY_ENDED: Readonly<Record<Expiry['because'], string>> = {
  idle: 'Nothing was done here for a long time, so the session ended.',
  total: 'The time for this session was over.',
};

/** How long a session may last, and since when it does. */
export interface ExpirySpan {
  readonly limits: Limits;
  /** When the session began (ms since the epoch). */
  readonly startedAt: number;
  /** What was added to the whole time before (ms). */
  readonly extendedMs: number;
  /** When a terminal last took or gave a byte (ms since the epoch): asked only when it matters, so that no key pays for it. */
  readonly lastOutput: () => number;
  /** Whether a command runs in the foreground of a terminal. */
  readonly isBusy: () => boolean;
}

export interface ExpiryOptions extends ExpirySpan {
  /** The end is near, or is no more. */
  readonly onWarning: (ending: Expiry | undefined) => void;
  readonly onEnd: (because: Expiry['because']) => void;
  readonly background: Background;
}

/** Counts a session's idle and whole time, warns ahead of either end, and ends it. */
export class ExpiryTimer implements Disposable {
  readonly #options: ExpiryOptions;
  #lastActivity = Date.now();
  #extendedMs: number;
  #warned: Expiry | undefined;
  /** When that warning began, by the clock of `performance`. */
  #warnedAt = 0;
  readonly #timers = new Timers();

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#extendedMs = options.extendedMs;
    // Not at once: whoever makes it has not yet kept it.
    this.#lookIn(0);
  }

  /** The end that the learner has been warned of. */
  get warned(): Expiry | undefined {
    return this.#warned;
  }

  /** The learner did something, or a check passed. */
  touch(): void {
    this.#lastActivity = Date.now();
    if (this.#warned) this.#look();
  }

  /** The learner asks for more time. @returns what has been added to the whole time so far (ms) */
  extend(): number {
    if (this.#options.limits.totalMs > 0) this.#extendedMs += EXTENSION_MS;
    this.#lastActivity = Date.now();
    this.#look();
    return this.#extendedMs;
  }

  [Symbol.dispose](): void {
    this.#timers[Symbol.dispose]();
  }

  #look(): void {
    this.#timers.clear('look');
    const { limits, isBusy } = this.#options;
    const next = this.#next();
    if (!next) return;
    const now = Date.now();
    const warnAt = next.at - WARNING_MS;
    if (now < warnAt) {
      this.#warn(undefined);
      // A command may end long before the time for which it holds the session.
      this.#lookIn(isBusy() ? Math.min(warnAt - now, limits.idleMs || warnAt) : warnAt - now);
      return;
    }
    const noticeMs = Math.min(WARNING_MS, limits[next.because === 'idle' ? 'idleMs' : 'totalMs']);
    // Counted by the clock that stands still while the machine sleeps: whoever opens the laptop again is warned first.
    const since = this.#warned?.because === next.because ? this.#warnedAt : performance.now();
    this.#warnedAt = since;
    const leftOfNotice = noticeMs - (performance.now() - since);
    if (now >= next.at && leftOfNotice <= 0) {
      this.#options.onEnd(next.because);
      this.#lookIn(END_AGAIN_MS);
      return;
    }
    const isCutShort = now + leftOfNotice - next.at > NOTICE_TOLERANCE_MS;
    const at = isCutShort ? Math.round(now + leftOfNotice) : next.at;
    this.#warn({ at, because: next.because });
    // While the warning stands, output may take it back at any second; before it, one look at its moment is enough.
    this.#lookIn(Math.min(Math.max(at - now, leftOfNotice), 1_000));
  }

  #lookIn(milliseconds: number): void {
    const look = this.#options.background.guard('expiry of a session', () => this.#look());
    this.#timers.set('look', Math.min(milliseconds, LONGEST_TIMER_MS), look);
  }

  #warn(expiry: Expiry | undefined): void {
    const was = this.#warned;
    const isSame =
      was?.because === expiry?.because &&
      Math.abs((was?.at ?? 0) - (expiry?.at ?? 0)) <= NOTICE_TOLERANCE_MS;
    if (isSame) return;
    this.#warned = expiry;
    this.#options.onWarning(expiry);
  }

  #next(): Expiry | undefined {
    const { limits, startedAt, lastOutput, isBusy } = this.#options;
    const active = Math.max(this.#lastActivity, lastOutput());
    const ends: Expiry[] = [];
    if (limits.idleMs > 0) {
      const held = isBusy() ? Math.max(limits.idleMs, FOREGROUND_MS) : limits.idleMs;
      ends.push({ at: active + held, because: 'idle' });
    }
    if (limits.totalMs > 0) {
      ends.push({ at: startedAt + limits.totalMs + this.#extendedMs, because: 'total' });
    }
    return ends.sort((one, other) => one.at - other.at)[0];
  }
}

/** A warning's time is said in minutes; a timer is late by milliseconds. */
const NOTICE_TOLERANCE_MS = 1_000;

/** Node's timers count in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
