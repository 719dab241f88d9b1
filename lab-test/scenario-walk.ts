import type { CheckDefinition, Lab, Mistake, Verdict } from '#lab';
import type { CheckView } from '#protocol';
import type { Step } from '#steps';
import { Doer } from './action-runner.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import type { Learner } from './learner.ts';
import type { Detour } from './plan.ts';
import type { Probe } from './probe.ts';
import { AtLine, type Report } from './report.ts';

/**
 * A tick, or a reason, follows the work within a blink, and within two seconds where a container has to be seen to stay.
 * The rest is for a machine with much else to do; only what fails waits for all of it.
 */
const PATIENCE_MS = 30_000;

/** One learner on the way through a lab, in a sandbox of their own. */
export class Walk {
  readonly #run: string;
  readonly #lab: Lab;
  readonly #learner: Learner;
  readonly #probe: Probe;
  readonly #doer: Doer;
  readonly #report: Report;
  readonly #patience: number;
  readonly #done = new Set<string>();

  /**
   * @param run what the report calls what goes as the pages say
   * @param patience how long (ms) what is looked at is waited for; what only leads there has longer
   */
  constructor(run: string, learner: Learner, probe: Probe, report: Report, patience = PATIENCE_MS) {
    this.#run = run;
    this.#patience = patience;
    this.#lab = probe.lab;
    this.#learner = learner;
    this.#probe = probe;
    this.#doer = new Doer(probe.lab, learner, probe);
    this.#report = report;
  }

  /** Does a step as its page says, to get to what comes after it. `false`: it failed, and the report says how. */
  hurry(step: Step): Promise<boolean> {
    return this.#report.attempt(this.#run, step, undefined, async () => {
      await this.#follow(step);
      await this.#passes(step, PATIENCE_MS);
    });
  }

  /** Does a step, and looks that its checks tick by that, and no others. */
  prove(step: Step, detour?: Detour): Promise<boolean> {
    const run = detour ? 'other right ways' : this.#run;
    return this.#report.attempt(run, step, detour?.way.what, async () => {
      await this.#isOpen(step);
      if (detour) await this.#doer.go(detour.way.actions, detour.check);
      else await this.#follow(step);
      await this.#passes(step);
      await this.#holds(step);
      this.#nothingElsePassed(`no check but ${step.checks.join(' and ') || 'none'} to pass`);
    });
  }

  /** Goes every wrong way of a step's checks and back again. */
  async mislead(step: Step): Promise<void> {
    for (const id of step.checks) {
      for (const way of this.#check(id).wrong ?? []) {
        await this.#report.attempt('wrong ways', step, way.what, () => this.#goWrong(id, way));
      }
    }
  }

  async #follow(step: Step): Promise<void> {
    for (const deed of step.actions) {
      await this.#doer.follow(deed).catch((error: unknown) => {
        throw new AtLine(deed.line, error);
      });
    }
  }

  async #isOpen(step: Step): Promise<void> {
    for (const id of step.checks) {
      await this.#learner.until(
        `${id} to be not yet before its step`,
        this.#patience,
        () => {
          const { state } = this.#learner.check(id);
          if (state === 'passed')
            throw new ExpectationFailed(`${id} not to be passed before its step`, 'passed');
          return state === 'not-yet' || undefined;
        },
        () => saysOf(this.#learner.check(id)),
      );
    }
    this.#nothingElsePassed('no check to pass before its step');
  }

  async #passes(step: Step, patience = this.#patience): Promise<void> {
    for (const id of step.checks) {
      await this.#learner.until(
        `${id} to pass`,
        patience,
        () => this.#learner.check(id).state === 'passed' || undefined,
        () => saysOf(this.#learner.check(id)),
      );
      this.#done.add(id);
    }
  }

  /** What ticked was there to stay: asked anew, the checks say the same. */
  async #holds(step: Step): Promise<void> {
    for (const id of step.checks) {
      const now = await this.#probe.verdict(id);
      if (now.kind !== 'passed')
        throw new ExpectationFailed(`${id} to go on passing`, `“${now.reason}”`);
    }
  }

  /** Everything that is passed has been done. */
  #nothingElsePassed(expected: string): void {
    const early = this.#learner.passed.filter((id) => !this.#done.has(id));
    if (early.length > 0)
      throw new ExpectationFailed(expected, `${early.join(', ')} passed as well`);
  }

  async #goWrong(id: string, way: Mistake): Promise<void> {
    const before = await this.#shownAsIs(id);
    if (saysSo(before, way)) {
      throw new ExpectationFailed(
        `a reason of its own: ${way.says}`,
        `“${before}” before anything was done`,
      );
    }
    try {
      await this.#doer.go(way.actions, id);
      await this.#learner.until(
        `${id} to say ${quoted(way.says)}`,
        this.#patience,
        () => {
          const view = this.#learner.check(id);
          if (view.state === 'passed') throw new ExpectationFailed(`${id} not to pass`, 'passed');
          return (view.state === 'not-yet' && saysSo(view.reason, way)) || undefined;
        },
        () => saysOf(this.#learner.check(id)),
      );
      const now = await this.#probe.verdict(id);
      if (!saysSo(reasonOf(now), way)) {
        throw new ExpectationFailed(
          `${id} to go on saying ${quoted(way.says)}`,
          `“${reasonOf(now)}”`,
        );
      }
      this.#nothingElsePassed('nothing to pass by a wrong way');
    } finally {
      await this.#doer.go(way.undo ?? [], id);
    }
    if (way.undo === undefined || way.remembered) return;
    await this.#learner.until(
      `${id} to say “${before}” again once it is undone`,
      this.#patience,
      () => {
        const view = this.#learner.check(id);
        return (view.state === 'not-yet' && sameButNumbers(view.reason, before)) || undefined;
      },
      () => saysOf(this.#learner.check(id)),
    );
  }

  /** A check's reason, once the page shows the one that holds now. */
  async #shownAsIs(id: string): Promise<string> {
    const now = await this.#probe.verdict(id);
    if (now.kind === 'passed')
      throw new ExpectationFailed(`${id} not to be passed before its step`, 'passed');
    return this.#learner.until(
      `${id} to say “${now.reason}”`,
      this.#patience,
      () => {
        const view = this.#learner.check(id);
        return view.state === 'not-yet' && view.reason === now.reason ? view.reason : undefined;
      },
      () => saysOf(this.#learner.check(id)),
    );
  }

  #check(id: string): CheckDefinition {
    const found = this.#lab.checks.find((check) => check.id === id);
    if (!found) throw new Error(`there is no check ${id}`);
    return found;
  }
}

function saysOf(view: CheckView): string {
  return view.state === 'passed' ? 'passed' : `${view.state}, “${view.reason}”`;
}

function reasonOf(verdict: Verdict): string {
  return verdict.kind === 'passed' ? 'passed' : verdict.reason;
}

function saysSo(reason: string, { says }: Mistake): boolean {
  return typeof says === 'string' ? reason.includes(says) : says.test(reason);
}

/** A container that was made anew has another port, and says so. */
function sameButNumbers(a: string, b: string): boolean {
  return a.replaceAll(/\d+/g, '#') === b.replaceAll(/\d+/g, '#');
}

function quoted(says: string | RegExp): string {
  return typeof says === 'string' ? `“${says}”` : String(says);
}
