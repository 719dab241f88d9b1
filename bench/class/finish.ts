import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import { openRoom } from './room.ts';
import { between } from './typing.ts';

/** A quick reader's time for the page between two steps. */
export const READING_MS = [5_000, 15_000] as const;

/**
 * A class in which everybody does the whole lab, each step as its page says, and then the server stops. It begins when
 * everybody has their hosts.
 *
 * @param reading the shortest and the longest pause before each step, in ms
 * @returns what is wrong, if anything: a step that was not ticked, a sandbox that was left behind
 */
export async function finishLab(
  count: number,
  labName: string,
  lab: Lab,
  steps: readonly Step[],
  reading: readonly [number, number],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  {
    await using room = await openRoom({
      learners: count,
      lab: labName,
      pool: 0,
      onLeft: (sandbox) => wrong.push(`sandbox ${sandbox} is left`),
    });
    const tried = (name: string, work: Promise<unknown>) =>
      work.catch((error: Error) => wrong.push(`${name}: ${error.message}`));
    await Promise.all(room.learners.map((learner) => tried(learner.name, learner.start())));
    await Promise.all(
      room.learners.map(async (learner) => {
        const work = async () => {
          for (const step of steps) {
            await delay(between(reading));
            await learner.follow(step, lab);
          }
        };
        await tried(learner.name, work());
        const open = lab.checks.filter(({ id }) => !learner.hasPassed(id));
        wrong.push(...open.map(({ id }) => `${learner.name}: ${id} is not ticked`));
      }),
    );
  }
  return wrong;
}
