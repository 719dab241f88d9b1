/** How long before its end a learner is told. */
const WARNING_MS = 5 * 60_000;
/** How much longer one press of Extend makes a session whose whole time is limited. */
const EXTENSION_MS = 30 * 60_000;

/** How long a session may last; 0 is without limit. */
export interface Limits {
  readonly idleMs: number;
  readonly totalMs: number;
}

export const NO_LIMITS: Limits = { idleMs: 0, totalMs: 0 };

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

/** What a lifetime is made with. */
export interface ExpiryOptions {
  readonly limits: Limits;
  /** When the session began. */
  readonly startedAt: number;
  /** What was added to the whole time before (ms). */
  readonly extendedMs: number;
  /** When a terminal last took or gave a byte: asked only when it matters, so that no key pays for it. */
  readonly lastOutput: () => number;
  /** The end is near, or is no more. */
  readonly onWarning: (ending: Expiry | undefined) => void;
  readonly onEnd: (because: Expiry['because']) => void;
  readonly warningMs?: number;
}

/** Counts a session's idle and whole time, warns ahead of either end, and ends it. */
export class ExpiryTimer implements Disposable {
  readonly #options: ExpiryOptions;
  readonly #warningMs: number;
  readonly #born = Date.now();
  #lastActivity = this.#born;
  #extendedMs: number;
  #warned: Expiry | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#extendedMs = options.extendedMs;
    this.#warningMs = options.warningMs ?? WARNING_MS;
    // Not at once: whoever makes it has not yet kept it.
    this.#timer = setTimeout(() => this.#look(), 0);
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
    this.touch();
    this.#look();
    return this.#extendedMs;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    const ending = this.#ending();
    if (!ending) return;
    const now = Date.now();
    if (now >= ending.at) {
      this.#options.onEnd(ending.because);
      return;
    }
    const warnAt = ending.at - this.#warningMs;
    const near = now >= warnAt ? ending : undefined;
    if (near?.at !== this.#warned?.at || near?.because !== this.#warned?.because) {
      this.#warned = near;
      this.#options.onWarning(near);
    }
    // While the warning stands, output may take it back at any second; before it, one look at its moment is enough.
    const wait = near ? Math.min(ending.at - now, 1_000) : warnAt - now;
    this.#timer = setTimeout(() => this.#look(), Math.min(wait, LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  #ending(): Expiry | undefined {
    const { limits, startedAt, lastOutput } = this.#options;
    const active = Math.max(this.#lastActivity, lastOutput());
    const ends: Expiry[] = [];
    if (limits.idleMs > 0) ends.push({ at: active + limits.idleMs, because: 'idle' });
    if (limits.totalMs > 0) {
      // A session whose time ran out while the server was away is warned like any other.
      const earliest = this.#born + Math.min(this.#warningMs, limits.totalMs);
      const at = Math.max(startedAt + limits.totalMs + this.#extendedMs, earliest);
      ends.push({ at, because: 'total' });
    }
    return ends.sort((one, other) => one.at - other.at)[0];
  }
}

/** Node's timers count in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
