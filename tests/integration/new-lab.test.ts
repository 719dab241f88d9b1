import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { failureLine } from '../../lab-test/failure.ts';
import { type Kind, runLabTest } from '../../lab-test/run-lab-test.ts';
import { openTestServer } from '../../lab-test/test-server.ts';
import { lab } from '../../setup/new-lab/lab.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const NAME = 'new-lab';
/** What is the template's own. Hosts that go away are the business of checks and sandboxes, and have their own tests. */
const KINDS: readonly Kind[] = ['written', 'wrong', 'other'];

test('a new lab passes its test, as it is made', async () => {
  await using server = await openTestServer(PROJECT, new Map([[NAME, lab]]), () => undefined);
  const { steps, report } = await runLabTest({
    server,
    name: NAME,
    lab,
    directory: resolve(PROJECT, 'setup', NAME),
    kinds: KINDS,
  });
  expect(report.failures.map(failureLine)).toEqual([]);
  expect(steps.flatMap(({ checks }) => checks)).toEqual(lab.checks.map(({ id }) => id));
});
