import { expect, test } from 'vitest';
import type { Step } from '#steps';
import { changeNode } from '../../machines/swarm-stage.ts';
import { started } from '../integration/stage.ts';
import {
  IMAGES_MS,
  LAB,
  MOVE_MS,
  openSwarmWorld,
  passes,
  STEPS,
  sandboxesOn,
  Whereabouts,
} from '../integration/swarm-world.ts';

/** Two machines of two processors have room for 25 each. */
const LEARNERS = 30;
/** Two moves, each of a third of a class or more. */
const CLASS_MS = IMAGES_MS + 6 * MOVE_MS;

test(
  `a class of ${LEARNERS} finishes its lab on three machines, of which one is drained and one is lost in the middle`,
  async () => {
    await using world = await openSwarmWorld(3);
    await using app = await world.serve({ sandboxes: LEARNERS });
    const [first, second, third] = world.nodes;
    if (!first || !second || !third) throw new Error('three machines');
    const where = new Whereabouts(world.nodes, app);
    const learners = Array.from({ length: LEARNERS }, () => app.newLearner(LAB));
    const [one, two, three] = STEPS;
    if (!one || !two || !three) throw new Error('three steps');
    const all = (step: Step) => Promise.all(learners.map((each) => passes(each, step)));
    const reached = (count: number) =>
      expect
        .poll(() => app.runtime.placement?.machines(), { timeout: MOVE_MS })
        .toHaveLength(count);

    await Promise.all(learners.map(({ session }) => started(session)));
    const spread = await Promise.all(
      world.nodes.map(async (each) => (await sandboxesOn(each)).length),
    );
    expect(spread).toEqual(world.nodes.map(() => LEARNERS / world.nodes.length));
    await all(one);

    const drained = changeNode(first, second.id, { Availability: 'drain' });
    await Promise.all([drained, all(two)]);
    await expect.poll(() => sandboxesOn(second), { timeout: MOVE_MS }).toEqual([]);
    await reached(2);
    await changeNode(first, second.id, { Availability: 'active' });
    await reached(3);

    third.cut();
    await all(three);
    third.mend();
    await reached(3);

    for (const { session } of learners) {
      await expect
        .poll(() => session.snapshot().checks.map(({ state }) => state), { timeout: MOVE_MS })
        .toEqual(STEPS.map(() => 'passed'));
    }
    // Each learner has one sandbox, and no machine has any other.
    const theirs = learners.map((each) => where.sandboxOf(each)).toSorted();
    const found = async () =>
      (await Promise.all(world.nodes.map((each) => sandboxesOn(each)))).flat().toSorted();
    await expect.poll(found, { timeout: MOVE_MS }).toEqual(theirs);
    await app[Symbol.asyncDispose]();
    expect(await found()).toEqual([]);
  },
  CLASS_MS,
);
