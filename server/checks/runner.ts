import { channel } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Lab, SandboxView, SignalBody, SignalOf } from '#lab';
import type { CheckView, ValueView } from '#protocol';
import { CHECK_RUNS, type CheckRun } from '../base/check-runs.ts';
import { withAbort } from '../base/deadline.ts';
import { Timers } from '../base/timers.ts';
import { type CheckContext, CheckTask, type Round } from './check-task.ts';
import { CHECK_DEADLINE_MS, type CheckOutcome, evaluateCheck } from './evaluate-check.ts';
import { ReadCache } from './read-cache.ts';

/** The slow pass behind the signals: for what no signal tells. */
const SAFETY_MS = 30_000;
/** At most this often a new round begins, however many signals a loop in a host makes; far below what a person notices. */
const ROUND_GAP_MS = 15;
/** A check that could not be asked is asked again soon, by itself. */
const RETRY_MS = 2_000;
/** Steps that are passed are looked at again with this much leisure, so that the open ones have the hosts to themselves. */
const PASSED_GAP_MS = 500;

/** What a pass speaks of: how the hosts are, or what has happened. */
export type About = SignalOf<'pass'>['about'];

/** What the runner needs of its session. */
export interface RunnerOptions {
  readonly lab: Lab;
  /** A fresh view for one run, aborted with `signal`. */
  readonly view: (signal: AbortSignal) => SandboxView;
  /** Check id to the time it was passed, kept by the session. */
  readonly passes: () => ReadonlyMap<string, number>;
  /** What a pass speaks of that was earned on these very hosts; `undefined` for one earned on earlier ones. */
  readonly about: (check: string) => About | undefined;
  readonly onPass: (check: string, at: number, about: About) => void;
  /** Only what changed. */
  readonly onChecks: (checks: readonly CheckView[]) => void;
  readonly onValues: (values: readonly ValueView[]) => void;
}

/**
 * Asks a sandbox's checks and values when something happened that can change their answers. Each question is asked on
 * its own: never twice at the same time, and one that hangs holds up no other.
 */
export class CheckRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly #checks = new Map<string, CheckView>();
  readonly #values = new Map<string, ValueView>();
  readonly #closed = new AbortController();
  readonly #timers = new Timers();
  readonly #known = new ReadCache();
  readonly #questions: readonly CheckTask[];
  readonly #due = new Set<CheckTask>();
  readonly #dueLater = new Set<CheckTask>();
  #round: Promise<void> | undefined;
  #lastRound = Number.NEGATIVE_INFINITY;
  #pending: { readonly checks: CheckView[]; readonly values: ValueView[] } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { checks, values } = options.lab;
    this.#questions = [
      ...checks.map(
        (check) => new CheckTask(check.id, 'check', (asking) => this.#run(check, asking)),
      ),
      ...Object.entries(values).map(
        ([id, { read }]) =>
          new CheckTask(id, 'value', (asking) => this.#readValue(id, read, asking)),
      ),
    ];
  }

  get checks(): readonly CheckView[] {
    return [...this.#checks.values()];
  }

  get values(): readonly ValueView[] {
    return [...this.#values.values()];
  }

  /**
   * Something happened: asks what it can change, or everything where it is not said what. Signals that arrive together
   * make one round.
   */
  wake(signal?: SignalBody): void {
    if (this.#closed.signal.aborted) return;
    this.#known.invalidate(signal);
    this.#wake(this.#questions.filter((question) => question.wakes(signal)));
    if (!signal) this.#timers.set('safety', SAFETY_MS, () => this.wake());
  }

  /** Asks one check now, and settles when its answer is there. */
  async ask(check: string): Promise<void> {
    await this.#ask(this.#questions.filter(({ id, kind }) => kind === 'check' && id === check));
  }

  /** Settles when nothing is being asked and nothing is due at once. */
  async settled(): Promise<void> {
    while (this.#round || this.#questions.some((question) => question.running)) {
      await this.#round;
      await Promise.all(this.#questions.map((question) => question.running));
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#timers[Symbol.dispose]();
  }

  /** Puts questions into the next round; those about steps that are passed wait until the open ones have been asked. */
  #wake(questions: readonly CheckTask[]): void {
    const passes = this.#options.passes();
    const isPassed = (question: CheckTask) => question.kind === 'check' && passes.has(question.id);
    for (const question of questions) {
      if (!isPassed(question)) this.#due.add(question);
      else if (!this.#checks.has(question.id)) this.#due.add(question);
      // A pass that cannot move needs no more asking.
      else if (this.#canMove(question.id)) this.#dueLater.add(question);
    }
    if (this.#dueLater.size > 0) {
      this.#timers.setOnce('later', PASSED_GAP_MS, () => void this.#ask(taken(this.#dueLater)));
    }
    if (this.#due.size === 0) return;
    this.#round ??= this.#soon().then(() => {
      this.#round = undefined;
      this.#lastRound = performance.now();
      void this.#ask(taken(this.#due));
    });
  }

  async #soon(): Promise<void> {
    const wait = this.#lastRound + ROUND_GAP_MS - performance.now();
    if (wait > 0) await delay(wait, undefined, { ref: false });
    else await Promise.resolve();
  }

  async #ask(questions: readonly CheckTask[]): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const round = () => this.#newRound();
    const shared = round();
    await Promise.all(
      questions.map(async (question) => {
        await question.ask(shared, round);
        if (this.#closed.signal.aborted) return;
        if (question.missedSomething()) this.#wake([question]);
        if (question.answered) return;
        this.#timers.set(`${question.kind} ${question.id}`, RETRY_MS, () => this.#wake([question]));
      }),
    );
  }

  #newRound(): Round {
    const deadline = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(CHECK_DEADLINE_MS)]);
    return { deadline, view: this.#options.view(deadline), known: this.#known.forRound() };
  }

  async #run(check: Lab['checks'][number], asking: CheckContext): Promise<boolean> {
    const { id } = check;
    const passedAt = this.#options.passes().get(id);
    if (passedAt !== undefined && !this.#canMove(id)) {
      this.#show({ id, state: 'passed', passedAt });
      return true;
    }
    const began = performance.now();
    const said = await evaluateCheck(check, asking);
    if (this.#closed.signal.aborted) return true;
    runs.publish({ state: said.kind, milliseconds: performance.now() - began } satisfies CheckRun);
    if (passedAt !== undefined) this.#showPassed(id, passedAt, said);
    else this.#showOpen(id, said, asking);
    return said.kind !== 'unknown';
  }

  #againIn(milliseconds: number, check: string): void {
    const questions = this.#questions.filter(({ id, kind }) => kind === 'check' && id === check);
    this.#timers.set(`check ${check}`, milliseconds, () => this.#wake(questions));
  }

  #showOpen(id: string, said: CheckOutcome, { reads }: CheckContext): void {
    switch (said.kind) {
      case 'passed': {
        const passedAt = Date.now();
        this.#options.onPass(id, passedAt, reads.ofThePast ? 'past' : 'state');
        this.#show({ id, state: 'passed', passedAt });
        break;
      }
      case 'settling': {
        this.#againIn(Math.max(said.until - Date.now(), 0), id);
        const reason = `${said.container} has only just started. It counts once it has stayed up for a moment.`;
        this.#show({ id, state: 'not-yet', reason });
        break;
      }
      case 'not-yet': {
        const { reason, fix } = said;
        this.#show({ id, state: 'not-yet', reason, ...(fix ? { wayOut: fix } : {}) });
        break;
      }
      case 'unknown':
        this.#show({ id, state: 'unknown', reason: said.reason });
        break;
      default:
        said satisfies never;
    }
  }

  /** A pass holds; where the hosts have moved away from it, it says so. */
  #showPassed(id: string, passedAt: number, said: CheckOutcome): void {
    // Nothing is known of now: what was known last stays.
    if (said.kind === 'unknown') return;
    const moved = said.kind === 'not-yet' ? { moved: sinceThen(said.reason) } : {};
    this.#show({ id, state: 'passed', passedAt, ...moved });
  }

  #canMove(check: string): boolean {
    return this.#options.about(check) === 'state';
  }

  #show(next: CheckView): void {
    if (differs(this.#checks, next)) this.#publish().checks.push(next);
  }

  async #readValue(
    id: string,
    read: Lab['values'][string]['read'],
    { view, deadline }: CheckContext,
  ): Promise<boolean> {
    const answer = await withAbort(deadline, () => read(view)).then(
      (text) => ({ text }),
      () => undefined,
    );
    if (this.#closed.signal.aborted) return true;
    // Nothing is known of now: what was known last stays.
    if (!answer && this.#values.has(id)) return false;
    const next: ValueView = answer?.text === undefined ? { id } : { id, text: answer.text };
    if (differs(this.#values, next)) this.#publish().values.push(next);
    return answer !== undefined;
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

/** What stood in a set, which is empty afterwards. */
function taken<T>(set: Set<T>): readonly T[] {
  const all = [...set];
  set.clear();
  return all;
}

/** A reason was written for before the step; said of a step that was done, its "yet" would be wrong. */
function sinceThen(reason: string): string {
  return reason.replaceAll(/ yet(?=[.,:;])/g, '');
}

/** For whoever counts what checks take. */
const runs = channel(CHECK_RUNS);

/** Keeps `next` and says whether it is new. */
function differs<T extends { readonly id: string }>(known: Map<string, T>, next: T): boolean {
  if (isDeepStrictEqual(known.get(next.id), next)) return false;
  known.set(next.id, next);
  return true;
}
