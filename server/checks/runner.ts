import { isDeepStrictEqual } from 'node:util';
import type { Lab, SandboxView } from '#lab';
import type { CheckView, ValueView } from '#protocol';

/** A question takes milliseconds; one that has no answer by now has none to give ("could not check"). */
const DEADLINE_MS = 5_000;
/** The slow pass behind the signals: for what no signal tells. */
const SAFETY_MS = 30_000;
/** A check that could not be asked is asked again soon, by itself. */
const RETRY_MS = 2_000;

/** What the runner needs of its session. */
export interface RunnerOptions {
  readonly lab: Lab;
  /** A fresh view for one run, aborted with `signal`. */
  readonly view: (signal: AbortSignal) => SandboxView;
  /** Check id to the time it was passed, kept by the session. */
  readonly passes: () => ReadonlyMap<string, number>;
  readonly onPass: (check: string, at: number) => void;
  /** Only what changed. */
  readonly onChecks: (checks: readonly CheckView[]) => void;
  readonly onValues: (values: readonly ValueView[]) => void;
}

/**
 * Asks a sandbox's checks and values whenever something happened. Several signals that arrive together, or while a run
 * is under way, make one more run; a check never runs twice at the same time.
 */
export class CheckRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly #checks = new Map<string, CheckView>();
  readonly #values = new Map<string, ValueView>();
  readonly #closed = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #pending: CheckView[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get checks(): readonly CheckView[] {
    return [...this.#checks.values()];
  }

  get values(): readonly ValueView[] {
    return [...this.#values.values()];
  }

  /** Something happened: ask again. Settles when an answer that is younger than this call is there. */
  wake(): Promise<void> {
    if (this.#closed.signal.aborted) return Promise.resolve();
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#runUntilQuiet().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  async #runUntilQuiet(): Promise<void> {
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      await this.#run();
    } while (this.#again && !this.#closed.signal.aborted);
    if (this.#closed.signal.aborted) return;
    const unknown = this.checks.some((check) => check.state === 'unknown');
    this.#timer = setTimeout(() => void this.wake(), unknown ? RETRY_MS : SAFETY_MS);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const deadline = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(DEADLINE_MS)]);
    const view = this.#options.view(deadline);
    const passes = this.#options.passes();
    const checks = this.#options.lab.checks.map(async (check) => {
      const passedAt = passes.get(check.id);
      const next: CheckView =
        passedAt === undefined
          ? await ask(check, view, deadline)
          : { id: check.id, state: 'passed', passedAt };
      if (this.#closed.signal.aborted) return;
      if (next.state === 'passed' && passedAt === undefined) {
        this.#options.onPass(check.id, next.passedAt);
      }
      // At once, not at the end of the run: one host that hangs must not hold up the ticks of the others.
      if (differs(this.#checks, next)) this.#publish(next);
    });
    const values = Object.entries(this.#options.lab.values).map(
      async ([id, { read }]): Promise<ValueView> => {
        const text = await within(deadline, () => read(view)).catch(() => undefined);
        return text === undefined ? { id } : { id, text };
      },
    );
    const read = await Promise.all(values);
    if (!this.#closed.signal.aborted) {
      const changed = read.filter((value) => differs(this.#values, value));
      if (changed.length > 0) this.#options.onValues(changed);
    }
    await Promise.all(checks);
  }

  /** Checks that settle in the same turn go out together. */
  #publish(check: CheckView): void {
    this.#pending.push(check);
    if (this.#pending.length > 1) return;
    setImmediate(() => {
      const checks = this.#pending;
      this.#pending = [];
      if (!this.#closed.signal.aborted) this.#options.onChecks(checks);
    });
  }
}

/** Keeps `next` and says whether it is new. */
function differs<T extends { readonly id: string }>(known: Map<string, T>, next: T): boolean {
  if (isDeepStrictEqual(known.get(next.id), next)) return false;
  known.set(next.id, next);
  return true;
}

async function ask(
  check: Lab['checks'][number],
  view: SandboxView,
  deadline: AbortSignal,
): Promise<CheckView> {
  try {
    const verdict = await within(deadline, () => check.test(view));
    if (verdict.kind === 'passed') return { id: check.id, state: 'passed', passedAt: Date.now() };
    const { reason, wayOut } = verdict;
    return { id: check.id, state: 'not-yet', reason, ...(wayOut ? { wayOut } : {}) };
  } catch (error) {
    const cause = deadline.aborted
      ? `no answer within ${DEADLINE_MS / 1000} s`
      : ((error as Error).message ?? String(error));
    return {
      id: check.id,
      state: 'unknown',
      reason: `Could not check: ${cause}. It is tried again by itself.`,
    };
  }
}

/** The work's result, or a rejection as soon as the signal is aborted, whether or not the work heeds it. */
async function within<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
