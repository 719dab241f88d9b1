import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSteps } from '#steps';
import { openClassroom } from '../../client-driver/classroom.ts';
import { finishLab } from '../../client-driver/lab-walk.ts';
import { LABS_DIRECTORY, labFolders } from '../../server/labs/folders.ts';
import { loadLabs } from '../../server/labs/loader.ts';
import { PROJECT } from './stage.ts';

const LAB = 'docker-networking';
/** A small class; `npm run bench:class -- --finish 25` is a whole one. */
const LEARNERS = 3;
const CLASS_MS = 300_000;

test(
  'a class does the whole lab, step by step as its pages say: every check is ticked, and nothing is left',
  async () => {
    const lab = (await loadLabs(labFolders(PROJECT))).get(LAB);
    if (!lab) throw new Error(`there is no lab ${LAB}`);
    const steps = await loadSteps(join(PROJECT, LABS_DIRECTORY, LAB), lab);
    expect(steps.flatMap(({ checks }) => checks).sort()).toEqual(
      lab.checks.map(({ id }) => id).sort(),
    );
    let left = 0;
    {
      await using classroom = await openClassroom({
        learners: LEARNERS,
        lab: LAB,
        onLeft: (count) => {
          left = count;
        },
      });
      expect(await finishLab(classroom.learners, lab, steps)).toEqual([]);
    }
    expect(left).toBe(0);
  },
  CLASS_MS,
);
