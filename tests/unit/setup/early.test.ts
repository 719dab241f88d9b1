import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clientNamesEngine } from '../../../setup/early.mjs';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quayside-early-'));
});

afterEach(() => rm(directory, { recursive: true }));

/** A docker client that prints this where it is asked for its context. */
async function client(script: string): Promise<NodeJS.ProcessEnv> {
  const file = join(directory, 'docker');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return { PATH: directory };
}

test.each([
  ['the machine’s own socket, on which nothing listens', 'echo unix:///var/run/docker.sock'],
  ['nothing: it is older than contexts', 'exit 1'],
])('a docker client alone, which names %s, is no engine', async (_, script) => {
  expect(clientNamesEngine(await client(script))).toBe(false);
});

test.each(['tcp://192.0.2.1:2375', 'unix:///home/ada/.docker/desktop/docker.sock'])(
  'a docker client whose context is at %s leads to one',
  async (address) => {
    expect(clientNamesEngine(await client(`echo ${address}`))).toBe(true);
  },
);

test('where there is no docker client, nothing is led to', () => {
  expect(clientNamesEngine({ PATH: directory })).toBe(false);
});
