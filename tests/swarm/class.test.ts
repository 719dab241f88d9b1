import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import type { Step } from '#steps';
import { changeNode } from '../../machines/swarm-stage.ts';
import { labFolders } from '../../server/labs/folders.ts';
import { loadAllSteps, loadLab, PROJECT } from '../../server/labs/loader.ts';
import { started, type TestLearner } from '../integration/stage.ts';
import {
  IMAGES_MS,
  MOVE_MS,
  openSwarmWorld,
  passes,
  reached,
  sandboxesOn,
  Whereabouts,
} from '../integration/swarm-world.ts';

const LAB = 'docker-networking';
/** Two machines of two processors have room for 25 each. */
const LEARNERS = 30;
/** So many do a step at the same moment; the others read. */
const BUSY = 8;
/** All that thirty do of the lab, and two moves, on two processors: a quarter of an hour where nothing else runs. */
const CLASS_MS = 60 * 60_000;

async function labAndSteps() {
  const folder = labFolders(PROJECT).find(({ name }) => name === LAB);
  if (!folder) throw new Error(`no lab ${LAB}`);
  const labs = new Map([[LAB, await loadLab(folder)]]);
  const steps = await loadAllSteps([folder], labs);
  return { labs, steps };
}

/** All learners, each one step after the other, and each step as often as it takes. */
async function passAll(learners: readonly TestLearner[], steps: readonly Step[]): Promise<void> {
  const turns = pLimit(BUSY);
  const one = async (learner: TestLearner): Promise<void> => {
    for (const step of steps) await turns(() => passes(learner, step));
  };
  await Promise.all(learners.map(one));
}

test(
  `a class of ${LEARNERS} finishes its lab on three machines, of which one is drained and one is lost in the middle`,
  async () => {
    const served = await labAndSteps();
    const steps = served.steps.get(LAB) ?? [];
    await using world = await openSwarmWorld(3, served);
    await using app = await world.serve({ sandboxes: LEARNERS });
    const [first, second, third] = world.nodes;
    if (!first || !second || !third) throw new Error('three machines');
    const where = new Whereabouts(world.nodes, app, LAB);
    const learners = Array.from({ length: LEARNERS }, () => app.newLearner(LAB));
    const part = Math.ceil(steps.length / 3);
    const all = (from: number) => passAll(learners, steps.slice(from, from + part));

    await Promise.all(learners.map(({ session }) => started(session)));
    const spread = await Promise.all(
      world.nodes.map(async (each) => (await sandboxesOn(each)).length),
    );
    expect(spread).toEqual(world.nodes.map(() => LEARNERS / world.nodes.length));
    await all(0);

    const drained = changeNode(first, second.id, { Availability: 'drain' });
    await Promise.all([drained, all(part)]);
    await expect.poll(() => sandboxesOn(second), { timeout: MOVE_MS }).toEqual([]);
    await reached(app, 2);
    await changeNode(first, second.id, { Availability: 'active' });
    await reached(app, 3);

    third.cut();
    await all(2 * part);
    third.mend();
    await reached(app, 3);

    for (const { session } of learners) {
      const open = () => session.snapshot().checks.filter(({ state }) => state !== 'passed');
      await expect.poll(open, { timeout: MOVE_MS }).toEqual([]);
    }
    // Each learner has one sandbox, and no machine has any other.
    const theirs = learners.map((each) => where.sandboxOf(each)).toSorted();
    const found = async () =>
      (await Promise.all(world.nodes.map((each) => sandboxesOn(each)))).flat().toSorted();
    await expect.poll(found, { timeout: MOVE_MS }).toEqual(theirs);
    await app[Symbol.asyncDispose]();
    expect(await found()).toEqual([]);
  },
  IMAGES_MS + CLASS_MS,
);
