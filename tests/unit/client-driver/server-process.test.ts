import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeSandboxes, startServer } from '../../../client-driver/server-process.ts';

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'quayside-project-'));
  await mkdir(join(project, 'server/cli'), { recursive: true });
});
afterEach(() => rm(project, { recursive: true }));

/** Makes a program of that project. */
const program = (path: string, source: string) => writeFile(join(project, path), source);

test('a server is there with its ready line, in the data folder and at the port that it was given', async () => {
  await program(
    'server/main.ts',
    `console.log('Building …');
     console.log('Quayside is ready: http://x/' + process.env.PORT + process.env.QUAYSIDE_DATA + process.argv[2]);
     setInterval(() => undefined, 1_000);`,
  );
  await using server = await startServer({ project, data: '/data', port: 9, args: ['--clean'] });
  expect(server.url).toBe('http://x/9/data--clean');
  expect(server.said).toEqual(['Building …', `Quayside is ready: ${server.url}`]);
  await server.stop();
  expect(server.child.signalCode).toBe('SIGTERM');
});

test('a server that does not get ready is told with all that it said', async () => {
  await program('server/main.ts', `console.log('Building …'); console.error('No engine.');`);
  const starting = startServer({ project, data: '/data', log: 'ignore' });
  await expect(starting).rejects.toThrow('it ended; it said “Building … ⏎ No engine.');
});

test('what a server has left is counted as it is removed', async () => {
  await program('server/cli/clean.ts', `console.log('Removed 2 sandboxes.')`);
  expect(await removeSandboxes({ project, data: '/data' })).toBe(2);
  await program('server/cli/clean.ts', `console.log('No engine runs.')`);
  await expect(removeSandboxes({ project, data: '/data' })).rejects.toThrow('No engine runs.');
});
