import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Lab } from '#lab';
import { failureLine } from '../../lab-test/failure.ts';
import { runLabTest, sandboxesAtOnce } from '../../lab-test/run-lab-test.ts';
import { openTestServer, type TestServer } from '../../lab-test/test-server.ts';
import { labFolders } from '../../server/labs/folders.ts';
import { labProblems } from '../../server/labs/lab-problems.ts';
import { loadLabs } from '../../server/labs/loader.ts';

/*
 * Labs in a folder outside the site, as `--labs` takes them: each shows another thing that a lab can be about, and proves
 * itself, wrong ways included.
 */

const PROJECT = resolve(import.meta.dirname, '../..');
const FOLDERS = labFolders(PROJECT, [join(PROJECT, 'tests/labs')]).filter(({ isOwn }) => !isOwn);
/** All of them take less than a minute; the image of a host is built once, from Debian's packages. */
const LABS_MS = 300_000;
/** One for all: the walks of one lab begin where those of another leave room. */
const LIMIT = sandboxesAtOnce();

let labs: ReadonlyMap<string, Lab>;
let server: TestServer;

beforeAll(async () => {
  labs = await loadLabs(FOLDERS);
  server = await openTestServer(PROJECT, labs, () => undefined);
}, LABS_MS);
afterAll(async () => await server?.[Symbol.asyncDispose]());

it.concurrent.each(FOLDERS)(
  '$name does what it promises',
  async ({ name, directory }) => {
    const lab = labs.get(name);
    if (!lab) throw new Error(`${name} was not read`);
    expect(labProblems(directory, lab, PROJECT)).toEqual([]);
    const { report } = await runLabTest({ server, name, lab, directory, limit: LIMIT });
    expect(report.failures.map(failureLine)).toEqual([]);
  },
  LABS_MS,
);
