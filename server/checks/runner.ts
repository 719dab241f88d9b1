import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Lab, SandboxView } from '#lab';
import type { CheckView, ValueView } from '#protocol';

/** A question takes milliseconds; one that has no answer by now has none to give ("could not check"). */
const DEADLINE_MS = 5_000;
/** The slow pass behind the signals: for what no signal tells. */
const SAFETY_MS = 30_000;
/** At most this often a new round begins, however many signals a loop in a host makes; far below what a person notices. */
const ROUND_GAP_MS = 15;
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
 * Asks a sandbox's checks and values whenever something happened. Each question is asked on its own: one that is still
 * being asked when the next signal arrives is asked once more afterwards, never twice at the same time, and one that
 * hangs holds up no other.
 */
export class CheckRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly #checks = new Map<string, CheckView>();
  readonly #values = new Map<string, ValueView>();
  readonly #closed = new AbortController();
  readonly #questions: readonly Question[];
  #round: Promise<void> | undefined;
  #lastRound = Number.NEGATIVE_INFINITY;
  #safety: NodeJS.Timeout | undefined;
  #pending: { readonly checks: CheckView[]; readonly values: ValueView[] } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { checks, values } = options.lab;
    this.#questions = [
      ...checks.map((check) => new Question(check.id, (round) => this.#askCheck(check, round))),
      ...Object.entries(values).map(
        ([id, { read }]) => new Question(undefined, (round) => this.#readValue(id, read, round)),
      ),
    ];
  }

  get checks(): readonly CheckView[] {
    return [...this.#checks.values()];
  }

  get values(): readonly ValueView[] {
    return [...this.#values.values()];
  }

  /** Something happened: ask everything again. Signals that arrive together make one round. */
  wake(): void {
    this.#round ??= this.#soon().then(() => {
      this.#round = undefined;
      void this.#ask(this.#questions);
    });
  }

  /** Asks one check now, and settles when its answer is there. */
  async ask(check: string): Promise<void> {
    await this.#ask(this.#questions.filter((question) => question.check === check));
  }

  /** Settles when nothing is being asked and nothing is due. */
  async settled(): Promise<void> {
    while (this.#round || this.#questions.some((question) => question.running)) {
      await this.#round;
      await Promise.all(this.#questions.map((question) => question.running));
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    clearTimeout(this.#safety);
  }

  async #soon(): Promise<void> {
    const wait = this.#lastRound + ROUND_GAP_MS - performance.now();
    if (wait > 0) await delay(wait, undefined, { ref: false });
    else await Promise.resolve();
  }

  async #ask(questions: readonly Question[]): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#lastRound = performance.now();
    clearTimeout(this.#safety);
    const round = () => this.#newRound();
    const shared = round();
    await Promise.all(questions.map((question) => question.ask(shared, round)));
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#safety);
    const unknown = this.checks.some((check) => check.state === 'unknown');
    this.#safety = setTimeout(() => this.wake(), unknown ? RETRY_MS : SAFETY_MS);
    this.#safety.unref();
  }

  #newRound(): Round {
    const deadline = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(DEADLINE_MS)]);
    return { deadline, view: this.#options.view(deadline) };
  }

  async #askCheck(check: Lab['checks'][number], round: Round): Promise<void> {
    const before = this.#options.passes().get(check.id);
    const next: CheckView =
      before === undefined
        ? await verdictOf(check, round)
        : { id: check.id, state: 'passed', passedAt: before };
    if (this.#closed.signal.aborted) return;
    if (next.state === 'passed' && before === undefined) {
      this.#options.onPass(check.id, next.passedAt);
    }
    if (differs(this.#checks, next)) this.#publish().checks.push(next);
  }

  async #readValue(
    id: string,
    read: Lab['values'][string]['read'],
    { view, deadline }: Round,
  ): Promise<void> {
    const text = await within(deadline, () => read(view)).catch(() => undefined);
    if (this.#closed.signal.aborted) return;
    const next: ValueView = text === undefined ? { id } : { id, text };
    if (differs(this.#values, next)) this.#publish().values.push(next);
  }

  /** What changes in the same turn of the event loop is told together. */
  #publish(): { readonly checks: CheckView[]; readonly values: ValueView[] } {
    if (this.#pending) return this.#pending;
    const news = { checks: [], values: [] };
    this.#pending = news;
    setImmediate(() => {
      this.#pending = undefined;
      if (this.#closed.signal.aborted) return;
      if (news.checks.length > 0) this.#options.onChecks(news.checks);
      if (news.values.length > 0) this.#options.onValues(news.values);
    });
    return news;
  }
}

/** One look at the sandbox: what is asked twice in it is asked of the hosts once. */
interface Round {
  readonly view: SandboxView;
  readonly deadline: AbortSignal;
}

/** One check or value, which is asked by one asker at a time. */
class Question {
  /** The check's id; a value has none. */
  readonly check: string | undefined;
  readonly #ask: (round: Round) => Promise<void>;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;

  constructor(check: string | undefined, ask: (round: Round) => Promise<void>) {
    this.check = check;
    this.#ask = ask;
  }

  get running(): Promise<void> | undefined {
    return this.#again ?? this.#running;
  }

  /** Settles with an answer that is younger than the call. A round that had to wait is made anew. */
  ask(round: Round, newRound: () => Round): Promise<void> {
    if (!this.#running) return this.#start(round);
    this.#again ??= this.#running.then(() => {
      this.#again = undefined;
      return this.#start(newRound());
    });
    return this.#again;
  }

  #start(round: Round): Promise<void> {
    this.#running = this.#ask(round).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

/** Keeps `next` and says whether it is new. */
function differs<T extends { readonly id: string }>(known: Map<string, T>, next: T): boolean {
  if (isDeepStrictEqual(known.get(next.id), next)) return false;
  known.set(next.id, next);
  return true;
}

async function verdictOf(
  check: Lab['checks'][number],
  { view, deadline }: Round,
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
