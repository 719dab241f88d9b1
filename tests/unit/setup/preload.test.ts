import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../../..');
const CACHES = 'node_modules/.cache/quayside-compiled';
/** What Node tells of each TypeScript file, when asked to: whether it had the JavaScript of it already. */
const STRIPPED = /^\[compile cache\] saving transpilation cache for StrippedTypeScript /gm;
const KEPT = /^\[compile cache\] retrieving transpile cache for StrippedTypeScript .*success$/gm;

/** A project of two files, the way ours is started. */
let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'quayside-preload-'));
  await mkdir(join(project, 'setup'));
  await mkdir(join(project, 'node_modules'));
  await cp(join(PROJECT, 'setup/preload.mjs'), join(project, 'setup/preload.mjs'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'package-lock.json'), '{}');
  await writeFile(join(project, 'answer.ts'), 'export const answer: number = 42;\n');
  const main = "import { answer } from './answer.ts';\nconst said: string = String(answer);\n";
  await writeFile(join(project, 'main.ts'), `${main}console.log(said);\n`);
});
afterEach(() => rm(project, { recursive: true }));

/** Starts it and ends it. */
async function start() {
  const argv = ['--disable-warning=ExperimentalWarning', '--import', './setup/preload.mjs'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...argv, 'main.ts'], {
    cwd: project,
    env: { ...process.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
  });
  const count = (what: RegExp) => stderr.match(what)?.length ?? 0;
  return { said: stdout.trim(), stripped: count(STRIPPED), kept: count(KEPT) };
}

it('strips each file of its types once, and again when it has changed', async () => {
  expect(await start()).toEqual({ said: '42', stripped: 2, kept: 0 });
  expect(await start()).toEqual({ said: '42', stripped: 0, kept: 2 });
  await writeFile(join(project, 'answer.ts'), 'export const answer: number = 43;\n');
  expect(await start()).toEqual({ said: '43', stripped: 1, kept: 1 });
});

it('names the line that the author wrote, also in what was kept', async () => {
  await writeFile(
    join(project, 'answer.ts'),
    "interface Unseen {\n  readonly it: string;\n}\nexport const answer = new Error('at').stack?.match(/answer.ts:\\d+:\\d+/);\n",
  );
  expect((await start()).said).toBe('answer.ts:4:23');
  expect((await start()).said).toBe('answer.ts:4:23');
});

it('serves two starts at once', async () => {
  const started = await Promise.all([start(), start(), start()]);
  for (const { said } of started) expect(said).toBe('42');
  expect(await start()).toEqual({ said: '42', stripped: 0, kept: 2 });
});

it('removes what was kept for other packages', async () => {
  await start();
  const before = await readdir(join(project, CACHES));
  await writeFile(join(project, 'package-lock.json'), '{ "lockfileVersion": 3 }');
  await start();
  const after = await readdir(join(project, CACHES));
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
});

it('starts where nothing can be kept', async () => {
  // A file in its place: root may write in a folder that is read-only.
  await mkdir(join(project, 'node_modules/.cache'));
  await writeFile(join(project, CACHES), '');
  expect(await start()).toMatchObject({ said: '42' });
  await rm(join(project, CACHES));
  await mkdir(join(project, CACHES));
  await chmod(join(project, CACHES), 0o500);
  expect(await start()).toMatchObject({ said: '42' });
});
