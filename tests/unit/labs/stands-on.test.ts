import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSteps } from '#steps';
import { stepsBelow } from '../../../server/labs/stands-on.ts';
import { lab } from '../../../src/content/docs/labs/docker-networking/lab.ts';

const DIRECTORY = join(import.meta.dirname, '../../../src/content/docs/labs/docker-networking');
const RUNS = 'myapp2-on-ephemeral-port';

test.each([
  ['nothing', RUNS, []],
  ['nothing of an earlier page', 'own-bridge-created', []],
  ['the container that it restarts', 'myapp2-restarted', [RUNS]],
  ['the container that it asks about on another page', 'restarted-again', [RUNS]],
  ['the network that it names', 'own-bridge-container', ['own-bridge-created']],
  [
    'containers, and what these stand on',
    'found-by-name',
    ['own-bridge-created', 'own-bridge-container'],
  ],
  ['the container that it looks into', 'none-network-inside', ['none-network-container']],
  ['what its check says that it needs', 'container-page-opened', [RUNS, 'client-route']],
  ['the container that its question is about', 'myapp2-ipv4-read', [RUNS]],
])('a step stands on %s', async (_, id, below) => {
  const steps = await loadSteps(DIRECTORY, lab);
  const step = steps.find((each) => each.id === id);
  if (!step) throw new Error(`no step ${id}`);
  expect(stepsBelow(steps, step, lab).map((each) => each.id)).toEqual(below);
});
