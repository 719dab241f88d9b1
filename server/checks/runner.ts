import { channel } from 'node:diagnostics_channel';
import { isDeepStrictEqual } from 'node:util';
import type { Lab, SandboxView, SignalBody } from '#lab';
import type { CheckView, ValueView } from '#protocol';
import { rhythmOf } from '../../lab/every.ts';
import type { Background } from '../base/background.ts';
import { CHECK_RUNS, type CheckRun } from '../base/check-runs.ts';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { Timers } from '../base/timers.ts';
import type { About, Pass } from '../store/journal.ts';
import {
  CHECK_DEADLINE_MS,
  type CheckContext,
  type CheckOutcome,
  CheckTask,
  cut,
  evaluateCheck,
} from './check-task.ts';
import { passedView } from './check-views.ts';
import { ReadCache } from './read-cache.ts';

/** The slow pass behind the signals: for what no signal tells. */
const SAFETY_MS = 30_000;
/** At most this often a new round begins, however many signals a loop in a host makes; far below what a person notices. */
const ROUND_GAP_MS = 15;
/**
 * A program that a command has started in the background is there a moment later, and so are its socket and its file: no
 * signal tells of them. On a busy machine a process takes some hundred milliseconds to start.
 */
const IN_BACKGROUND_MS = 1_000;
/** A check that could not be asked is asked again soon, by itself. */
const RETRY_MS = 2_000;
/** Steps that are passed are looked at again with this much leisure, so that the open ones have the hosts to themselves. */
const PASSED_GAP_MS = 500;

/** A value stands within a sentence of the page. */
const VALUE_CHARACTERS = 4_096;

export interface RunnerOptions {
  readonly lab: Lab;
  /** Has what fails where nobody awaits it: a round, and each of the three calls below. */
  readonly background: Background;
  /** A fresh view for one run, aborted with `signal`. */
  readonly view: (signal: AbortSignal) => SandboxView;
  /** The checks that were passed, by their id: kept by the session. */
  readonly passes: () => ReadonlyMap<string, Pass>;
  /** Whether somebody has a page of the lab open. */
  readonly hasPage: () => boolean;
  /**
   * Keeps a pass of this moment, and returns what is kept of the check: one of earlier hosts keeps its time. Where it throws,
   * the check counts as not asked, and is asked again.
   */
  readonly onPass: (check: string, about: About) => Pass;
  /** Only what changed. */
  readonly onChecks: (checks: readonly CheckView[]) => void;
  readonly onValues: (values: readonly ValueView[]) => void;
}

/**
 * Runs a sandbox's checks and values when something happened that can change their answers. Each runs on its own: never
 * twice at the same time, and one that hangs holds up no other.
 */
export class CheckRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly #checks = new Map<string, CheckView>();
  readonly #values = new Map<string, ValueView>();
  readonly #closed = new AbortController();
  readonly #timers = new Timers();
  readonly #cache = new ReadCache();
  readonly #tasks: readonly CheckTask[];
  readonly #due = new Set<CheckTask>();
  readonly #dueLater = new Set<CheckTask>();
  /** The round that is about to begin. Never rejects. */
  #round: Promise<void> | undefined;
  #lastRound = Number.NEGATIVE_INFINITY;
  #pending: { readonly checks: CheckView[]; readonly values: ValueView[] } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { checks, values } = options.lab;
    this.#tasks = [
      ...checks.map(
        (check) => new CheckTask(check.id, 'check', (context) => this.#runCheck(check, context)),
      ),
      ...Object.entries(values).map(
        ([id, { read }]) =>
          new CheckTask(id, 'value', (context) => this.#readValue(id, read, context)),
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
   * Something happened: runs what it can change, or everything where it is not said what. Signals that arrive together
   * make one round.
   */
  wake(signal?: SignalBody): void {
    if (this.#closed.signal.aborted) return;
    // Set first: whatever fails below, the slow pass goes on.
    if (!signal) {
      this.#after('safety', SAFETY_MS, () => this.wake());
      this.#keepRhythm();
    }
    this.#cache.invalidate(signal);
    this.#wake(this.#tasks.filter((task) => task.wakes(signal)));
    if (signal?.kind === 'command') this.#lookAgain(signal.host);
  }

  /** Asks the open checks about a host's processes and such once more, a moment after its last command. */
  #lookAgain(host: string): void {
    const reads = [`system of ${host}`, `script of ${host}`, 'reachability'] as const;
    const open = () => {
      const hasRead = (task: CheckTask) => reads.some((read) => task.reads.includes(read));
      return this.#tasks.filter((task) => hasRead(task) && !this.#isEarned(task.id));
    };
    if (open().length === 0) return;
    this.#after(`background of ${host}`, IN_BACKGROUND_MS, () => {
      this.#cache.drop([...reads, `files of ${host}`]);
      this.#wake(open());
    });
  }

  /** Asks the open checks that want it in a rhythm of their own, while somebody has a page open to see them tick. */
  #keepRhythm(): void {
    for (const check of this.#options.lab.checks) {
      const milliseconds = rhythmOf(check);
      if (milliseconds === undefined) continue;
      const tasks = this.#tasks.filter(({ id, kind }) => kind === 'check' && id === check.id);
      const ask = () => {
        if (this.#isEarned(check.id)) return;
        this.#keepRhythm();
        if (!this.#options.hasPage() || tasks.some((task) => task.running)) return;
        this.#cache.drop(tasks.flatMap((task) => task.reads));
        this.#wake(tasks);
      };
      const guarded = this.#options.background.guard('checks', ask);
      this.#timers.setOnce(`rhythm of ${check.id}`, milliseconds, guarded);
    }
  }

  /** Runs one check now, and settles when its answer is there. */
  async ask(check: string): Promise<void> {
    await this.#ask(this.#tasks.filter(({ id, kind }) => kind === 'check' && id === check));
  }

  /** Settles when nothing runs and nothing is due at once. */
  async settled(): Promise<void> {
    while (this.#round || this.#tasks.some((task) => task.running)) {
      await this.#round;
      await Promise.allSettled(this.#tasks.map((task) => task.running));
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#timers[Symbol.dispose]();
  }

  /** Puts tasks into the next round; checks that are passed wait until the open ones have been asked. */
  #wake(tasks: readonly CheckTask[]): void {
    const isEarned = (task: CheckTask) => task.kind === 'check' && this.#isEarned(task.id);
    for (const task of tasks) {
      if (!isEarned(task)) this.#due.add(task);
      else if (!this.#checks.has(task.id)) this.#due.add(task);
      // A pass that cannot regress needs no more asking.
      else if (this.#canRegress(task.id)) this.#dueLater.add(task);
    }
    if (this.#dueLater.size > 0) {
      this.#timers.setOnce('later', PASSED_GAP_MS, () => this.#begin(this.#dueLater));
    }
    if (this.#due.size === 0) return;
    this.#round ??= this.#untilNextRound().then(() => {
      this.#round = undefined;
      this.#lastRound = performance.now();
      this.#begin(this.#due);
    });
  }

  async #untilNextRound(): Promise<void> {
    const wait = this.#lastRound + ROUND_GAP_MS - performance.now();
    if (wait <= 0) return;
    // A closed runner begins no round, so nothing is lost where the wait is cut short.
    await sleep(wait, this.#closed.signal).catch(() => undefined);
  }

  /** Begins a round that nobody awaits, with what stood in a set, which is empty afterwards. */
  #begin(due: Set<CheckTask>): void {
    const tasks = [...due];
    due.clear();
    this.#options.background.run('checks', () => this.#ask(tasks), this.#closed.signal);
  }

  async #ask(tasks: readonly CheckTask[]): Promise<void> {
    if (this.#closed.signal.aborted) return;
    using limit = deadline(CHECK_DEADLINE_MS, this.#closed.signal);
    const view = this.#options.view(limit.signal);
    const round = { view, deadline: limit.signal, known: this.#cache.forRound() };
    await Promise.all(
      tasks.map(async (task) => {
        await task.ask(round, () => this.#ask([task]));
        if (this.#closed.signal.aborted) return;
        if (task.missedSomething()) this.#wake([task]);
        if (!task.answered)
          this.#after(`${task.kind} ${task.id}`, RETRY_MS, () => this.#wake([task]));
      }),
    );
  }

  async #runCheck(check: Lab['checks'][number], context: CheckContext): Promise<boolean> {
    const { id } = check;
    const pass = this.#options.passes().get(id);
    if (pass?.about === 'past') {
      this.#show(passedView(id, pass));
      return true;
    }
    const began = performance.now();
    const placeIn = this.#options.lab.source?.placeIn;
    const outcome = await evaluateCheck(check, { ...context, placeIn });
    if (this.#closed.signal.aborted) return true;
    const milliseconds = performance.now() - began;
    runs.publish({ state: outcome.kind, milliseconds } satisfies CheckRun);
    if (!pass || !this.#isEarned(id)) return this.#takeOpen(id, outcome, context, pass);
    // Nothing is known of now: what was known last stays.
    if (outcome.kind === 'unknown') return false;
    // A pass holds. Where the check would not pass any more, it says so.
    const regressed = outcome.kind === 'not-yet' ? sinceThen(outcome.reason) : undefined;
    this.#show(passedView(id, pass, regressed));
    return true;
  }

  /**
   * Keeps and shows what an open check answers.
   *
   * @param kept its pass of earlier hosts: that is what is shown, whatever these say
   * @returns whether there was an answer
   */
  #takeOpen(
    id: string,
    outcome: CheckOutcome,
    { reads }: CheckContext,
    kept: Pass | undefined,
  ): boolean {
    const show = (view: CheckView) => this.#show(kept ? passedView(id, kept) : view);
    switch (outcome.kind) {
      case 'passed': {
        const pass = this.#keepPass(id, reads.ofThePast ? 'past' : 'state');
        if (pass) show(passedView(id, pass));
        return pass !== undefined;
      }
      case 'settling': {
        const { container, until } = outcome;
        const tasks = this.#tasks.filter((task) => task.kind === 'check' && task.id === id);
        this.#after(`check ${id}`, Math.max(until - Date.now(), 0), () => this.#wake(tasks));
        const reason = `${container} has only just started. It counts once it has stayed up for a moment.`;
        show({ id, state: 'not-yet', reason });
        return true;
      }
      case 'not-yet': {
        const { reason, fix } = outcome;
        show({ id, state: 'not-yet', reason, ...(fix && { wayOut: fix }) });
        return true;
      }
      case 'unknown':
        show({ id, state: 'unknown', reason: outcome.reason });
        return false;
    }
  }

  /** @returns the pass, where the session has kept it */
  #keepPass(check: string, about: About): Pass | undefined {
    let pass: Pass | undefined;
    this.#options.background.guard('keep a pass', () => {
      pass = this.#options.onPass(check, about);
      this.wake({ kind: 'pass', check, about });
    })();
    return pass;
  }

  /** It was passed on these hosts. A pass of earlier ones is shown, and its check is asked as an open one is. */
  #isEarned(check: string): boolean {
    return this.#options.passes().get(check)?.about !== undefined;
  }

  #canRegress(check: string): boolean {
    return this.#options.passes().get(check)?.about === 'state';
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
    const text = answer?.text && cut(answer.text, VALUE_CHARACTERS);
    const next: ValueView = text === undefined ? { id } : { id, text };
    if (differs(this.#values, next)) this.#publish().values.push(next);
    return answer !== undefined;
  }

  /** What changes in the same turn of the event loop is told together. */
  #publish(): { readonly checks: CheckView[]; readonly values: ValueView[] } {
    if (this.#pending) return this.#pending;
    const { background, onChecks, onValues } = this.#options;
    const news = { checks: [] as CheckView[], values: [] as ValueView[] };
    this.#pending = news;
    setImmediate(() => {
      this.#pending = undefined;
      if (this.#closed.signal.aborted) return;
      if (news.checks.length > 0) background.guard('tell of checks', onChecks)(news.checks);
      if (news.values.length > 0) background.guard('tell of values', onValues)(news.values);
    });
    return news;
  }

  #after(name: string, milliseconds: number, action: () => void): void {
    this.#timers.set(name, milliseconds, this.#options.background.guard('checks', action));
  }
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
