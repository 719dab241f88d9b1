import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSteps } from '#steps';
import { finishLab } from '../../bench/class/finish.ts';
import { LABS_DIRECTORY, loadLabs } from '../../server/labs/loader.ts';
import { PROJECT } from './stage.ts';

const LAB = 'docker-networking';
/** A small class; `npm run bench:class -- --finish 25` is a whole one. */
const LEARNERS = 3;
/** Everybody at once, and nobody waits. */
const NO_READING = [0, 0] as const;

test('a class does the whole lab, step by step as its pages say: every check is ticked, and nothing is left', async () => {
  const lab = (await loadLabs(PROJECT)).get(LAB);
  if (!lab) throw new Error(`there is no lab ${LAB}`);
  const steps = await loadSteps(join(PROJECT, LABS_DIRECTORY, LAB), lab);
  expect(steps.flatMap(({ checks }) => checks).sort()).toEqual(
    lab.checks.map(({ id }) => id).sort(),
  );
  expect(await finishLab(LEARNERS, LAB, lab, steps, NO_READING)).toEqual([]);
}, 300_000);
