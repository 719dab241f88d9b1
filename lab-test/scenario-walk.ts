import { relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asBefore, type CheckDefinition, type Lab, type Mistake } from '#lab';
import type { CheckView } from '#protocol';
import type { Step } from '#steps';
import { ActionRunner } from '../client-driver/action-runner.ts';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import type { Learner } from '../client-driver/learner.ts';
import type { Failure } from './failure.ts';
import type { Detour } from './plan.ts';
import type { Probe } from './probe.ts';
import { AtLine, type Place, Report } from './report.ts';
import {
  fits,
  passedEarly,
  quoted,
  reasonOf,
  sameButNumbers,
  shown,
  toldWith,
} from './walk-words.ts';

/**
 * A tick, or a reason, follows the work within a blink, and within two seconds where a container has to be seen to stay.
 * The rest is for a machine with much else to do; only what fails waits for all of it.
 */
const PATIENCE_MS = 30_000;
/**
 * The program of a lab's own image counts as soon as it has started, for it stays up: that is what is verified here. One
 * that ends at once is up for some 30 ms, and its end is known a moment later.
 */
const STAYS_UP_MS = 300;

/** Who walks, and what comes of it. */
export interface WalkOptions {
  /** What the report calls what is done as the pages say. */
  readonly run: string;
  readonly learner: Learner;
  readonly probe: Probe;
  readonly report: Report;
  /** How long (ms) what is verified is waited for; what only leads there has longer. */
  readonly patience?: number | undefined;
  /** A mistake that fails is the last one, and is not undone: somebody will look at the hosts as they are then. */
  readonly leavesFailures?: boolean;
  /** Checks that have passed by what was done before. */
  readonly done?: readonly string[];
}

/** One learner on the way through a lab, in a sandbox of their own. */
export class ScenarioWalk {
  readonly #run: string;
  readonly #lab: Lab;
  readonly #learner: Learner;
  readonly #probe: Probe;
  readonly #actions: ActionRunner;
  readonly #report: Report;
  readonly #patience: number;
  readonly #leavesFailures: boolean;
  readonly #done: Set<string>;
  /** Mistakes at the step under way that nothing has undone, and where each stands. */
  #left: string[] = [];
  /** Steps that nobody looked at, and that failed. */
  readonly #behind: string[] = [];

  constructor(options: WalkOptions) {
    const { run, learner, probe, report, patience = PATIENCE_MS, leavesFailures = false } = options;
    this.#run = run;
    this.#patience = patience;
    this.#leavesFailures = leavesFailures;
    this.#done = new Set(options.done);
    this.#lab = probe.lab;
    this.#learner = learner;
    this.#probe = probe;
    this.#actions = new ActionRunner(probe.lab, learner, (id) => probe.value(id));
    this.#report = report;
  }

  /** Does a step as its page says, to get to what comes after it. `false`: it failed, and the report says how. */
  fastForward(step: Step): Promise<boolean> {
    return this.#attempt(this.#run, step, undefined, () => this.#lead(step));
  }

  /**
   * Does a step that nobody looks at, and goes on from it however that went: what fails after it says so.
   *
   * @returns what it failed with
   */
  async leaveBehind(step: Step): Promise<Failure | undefined> {
    const report = new Report();
    await report.attempt(this.#run, step, undefined, () => this.#lead(step));
    const [failure] = report.failures;
    if (failure === undefined) return undefined;
    this.#behind.push(`the step ${step.id} (${failure.file}:${failure.line}) failed`);
    // Its checks may pass by what comes after it.
    for (const id of step.checks) this.#done.add(id);
    return failure;
  }

  async #lead(step: Step): Promise<void> {
    await this.#follow(step);
    await this.#passes(step, PATIENCE_MS);
  }

  /** Does a step, and verifies that its checks tick by that, and no others. */
  verify(step: Step, detour?: Detour): Promise<boolean> {
    const run = detour ? 'other right ways' : this.#run;
    const place = detour ? this.#placeOf(step, detour.check, detour.alternative.what) : step;
    return this.#attempt(run, place, detour?.alternative.what, async () => {
      await this.#isOpen(step);
      if (detour) await this.#actions.go(detour.alternative.actions, detour.check);
      else await this.#follow(step);
      await this.#passes(step);
      if (step.actions.some(({ kind }) => kind === 'run')) await delay(STAYS_UP_MS);
      await this.#staysPassed(step);
      this.#nothingElsePassed(`no check but ${step.checks.join(' and ') || 'none'} to pass`);
      this.#left = [];
    });
  }

  /** Makes every mistake of a step's checks, and undoes it. `false`: one failed, and the hosts are left as they are. */
  async tryMistakes(step: Step): Promise<boolean> {
    for (const id of step.checks) {
      for (const mistake of this.#check(id).mistakes ?? []) {
        const place = this.#placeOf(step, id, mistake.what);
        const work = () => this.#tryMistake(id, mistake);
        const isRight = await this.#attempt('wrong ways', place, mistake.what, work);
        if (!isRight && this.#leavesFailures) return false;
        // An answer leaves nothing on the hosts.
        if (mistake.undo === undefined && mistake.actions.some(({ kind }) => kind !== 'answer')) {
          this.#left.push(`“${mistake.what}” (${relative('.', place.file)}:${place.line})`);
        }
      }
    }
    return true;
  }

  /** Where a mistake or an alternative stands; a lab that was made in code has no place of its own for it. */
  #placeOf(step: Step, check: string, what: string): Place {
    const [, file, line] = /^(.+):(\d+)$/.exec(this.#lab.source?.placeOf(what, check) ?? '') ?? [];
    return file === undefined ? step : { id: step.id, file: resolve(file), line: Number(line) };
  }

  /** As the report does it; what fails says what was answered, which commands failed, and which mistakes were not undone. */
  #attempt(
    run: string,
    place: Place,
    way: string | undefined,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const left = this.#left.join(' and ');
    const before = [
      ...this.#behind.map((what) => `before it, ${what}`),
      ...(left === '' ? [] : [`before it, ${left} was done, and has no undo`]),
    ];
    this.#actions.begin();
    return this.#report.attempt(run, place, way, () =>
      work().catch((error: unknown) => {
        throw toldWith([...this.#actions.told, ...before], error);
      }),
    );
  }

  async #follow(step: Step): Promise<void> {
    if (step.actions.length === 0) {
      throw new ExpectationFailed(
        `something to do for ${step.id}`,
        'no block that names a host, no address to open and no solution',
      );
    }
    for (const action of step.actions) {
      await this.#actions.follow(action).catch((error: unknown) => {
        throw new AtLine(action, error);
      });
    }
  }

  async #isOpen(step: Step): Promise<void> {
    for (const id of step.checks) {
      await this.#until(id, `${id} to be not yet before its step`, ({ state }) => {
        if (state === 'passed') throw passedEarly(id);
        return state === 'not-yet';
      });
    }
    this.#nothingElsePassed('no check to pass before its step');
  }

  async #passes(step: Step, patience = this.#patience): Promise<void> {
    for (const id of step.checks) {
      await this.#until(id, `${id} to pass`, ({ state }) => state === 'passed', patience);
      this.#done.add(id);
    }
  }

  /** The checks, asked again, say the same. */
  async #staysPassed(step: Step): Promise<void> {
    for (const id of step.checks) {
      const now = await this.#probe.verdict(id);
      if (now.kind !== 'passed')
        throw new ExpectationFailed(`${id} to go on passing`, `“${now.reason}”`);
    }
  }

  /** Everything that is passed has been done. */
  #nothingElsePassed(expected: string): void {
    const early = this.#learner.events.passed.filter((id) => !this.#done.has(id));
    if (early.length > 0)
      throw new ExpectationFailed(expected, `${early.join(', ')} passed as well`);
  }

  async #tryMistake(id: string, mistake: Mistake): Promise<void> {
    const before = await this.#reasonShown(id);
    if (mistake.says === asBefore) return this.#tryUnseen(id, mistake, before);
    if (fits(before, mistake)) {
      throw new ExpectationFailed(
        `a reason of its own: ${quoted(mistake.says)}`,
        `“${before}” before anything was done`,
      );
    }
    await this.#undone(id, mistake, async () => {
      await this.#actions.go(mistake.actions, id);
      await this.#until(id, `${id} to say ${quoted(mistake.says)}`, (view) => {
        if (view.state === 'passed') throw new ExpectationFailed(`${id} not to pass`, 'passed');
        return view.state === 'not-yet' && fits(view.reason, mistake);
      });
      const now = reasonOf(await this.#probe.verdict(id));
      if (!fits(now, mistake)) {
        throw new ExpectationFailed(`${id} to go on saying ${quoted(mistake.says)}`, `“${now}”`);
      }
      this.#nothingElsePassed('nothing to pass by a wrong way');
    });
    if (mistake.undo === undefined || mistake.remembered) return;
    await this.#until(
      id,
      `${id} to say “${before}” again once it is undone`,
      (view) => view.state === 'not-yet' && sameButNumbers(view.reason, before),
    );
  }

  /** A mistake that a check does not see: asked afresh once it is made, it says what it said before. */
  async #tryUnseen(id: string, mistake: Mistake, before: string): Promise<void> {
    await this.#undone(id, mistake, async () => {
      await this.#actions.go(mistake.actions, id);
      const now = reasonOf(await this.#probe.verdict(id));
      if (!sameButNumbers(now, before)) {
        throw new ExpectationFailed(`${id} to say “${before}” as before`, `“${now}”`);
      }
      this.#nothingElsePassed('nothing to pass by a wrong way');
    });
  }

  /** Makes a mistake, and undoes it however that went, unless somebody wants to look at what failed. */
  async #undone(id: string, mistake: Mistake, work: () => Promise<void>): Promise<void> {
    let isRight = false;
    try {
      await work();
      isRight = true;
    } finally {
      if (isRight || !this.#leavesFailures) await this.#actions.go(mistake.undo ?? [], id);
    }
  }

  /** A check's reason, once the page shows the one that holds now. */
  async #reasonShown(id: string): Promise<string> {
    const now = await this.#probe.verdict(id);
    if (now.kind === 'passed') throw passedEarly(id);
    await this.#until(
      id,
      `${id} to say “${now.reason}”`,
      (view) => view.state === 'not-yet' && view.reason === now.reason,
    );
    return now.reason;
  }

  /** Settles when a check is shown as it should be. */
  async #until(
    id: string,
    what: string,
    isSo: (view: CheckView) => boolean,
    ms = this.#patience,
  ): Promise<void> {
    const { events } = this.#learner;
    await events.until({
      ms,
      what,
      look: () => isSo(events.check(id)),
      seen: () => shown(events.check(id)),
    });
  }

  #check(id: string): CheckDefinition {
    const found = this.#lab.checks.find((check) => check.id === id);
    if (!found) throw new Error(`there is no check ${id}`);
    return found;
  }
}
