import type { Lab } from '#lab';
import type { Step } from '#steps';
import { ActionRunner } from './action-runner.ts';
import type { Learner } from './learner.ts';

/** A tick follows the work within a blink; in a class of a hundred at once, some wait for many others. */
const TICK_MS = 300_000;

/** One learner on the way through a lab, each step as its page says. */
export class LabWalk {
  readonly #learner: Learner;
  readonly #actions: ActionRunner;

  constructor(learner: Learner, lab: Lab) {
    this.#learner = learner;
    this.#actions = new ActionRunner(lab, learner);
  }

  /**
   * Does a step, and waits until its checks are ticked.
   *
   * @returns milliseconds from the end of the last action to each tick; 0 for one that came before it
   */
  async do(step: Step): Promise<readonly number[]> {
    for (const action of step.actions) await this.#actions.follow(action);
    const done = performance.now();
    const { events } = this.#learner;
    const ticks: number[] = [];
    for (const id of step.checks) {
      const at = await events.until({
        ms: TICK_MS,
        what: `${id} to be ticked`,
        look: () => events.passedAt(id),
        seen: () => JSON.stringify(events.check(id)),
      });
      ticks.push(Math.max(0, at - done));
    }
    return ticks;
  }
}

/**
 * Everybody does the whole lab at once, each step as its page says. It begins when everybody has their hosts.
 *
 * @param pause settles when a learner goes on to the next step
 * @returns what is wrong, if anything: what somebody could not do, and every check that is not ticked
 */
export async function finishLab(
  learners: readonly Learner[],
  lab: Lab,
  steps: readonly Step[],
  pause: () => Promise<void> = async () => undefined,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const forEach = (work: (learner: Learner) => Promise<void>) =>
    Promise.all(
      learners.map((learner, index) =>
        work(learner).catch((error: Error) => wrong.push(`Learner ${index + 1}: ${error.message}`)),
      ),
    );
  await forEach((learner) => learner.start());
  await forEach(async (learner) => {
    const walk = new LabWalk(learner, lab);
    for (const step of steps) {
      await pause();
      await walk.do(step);
    }
  });
  for (const [index, { events }] of learners.entries()) {
    const open = lab.checks.filter(({ id }) => events.check(id).state !== 'passed');
    wrong.push(...open.map(({ id }) => `Learner ${index + 1}: ${id} is not ticked`));
  }
  return wrong;
}
