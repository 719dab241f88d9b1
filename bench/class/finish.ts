import type { Lab } from '#lab';
import type { Step } from '#steps';
import { openRoom } from './room.ts';

/**
 * A class in which everybody does the whole lab, each step as its page says, and then the server stops.
 *
 * @returns what is wrong, if anything: a step that was not ticked, a sandbox that was left behind
 */
export async function finishLab(
  count: number,
  labName: string,
  lab: Lab,
  steps: readonly Step[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  {
    await using room = await openRoom({
      learners: count,
      lab: labName,
      pool: 0,
      onLeft: (sandbox) => wrong.push(`sandbox ${sandbox} is left`),
    });
    await Promise.all(
      room.learners.map(async (learner) => {
        try {
          await learner.start();
          for (const step of steps) await learner.follow(step, lab);
        } catch (error) {
          wrong.push(`${learner.name}: ${(error as Error).message}`);
        }
        const open = lab.checks.filter(({ id }) => !learner.hasPassed(id));
        wrong.push(...open.map(({ id }) => `${learner.name}: ${id} is not ticked`));
      }),
    );
  }
  return wrong;
}
