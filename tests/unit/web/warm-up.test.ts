import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { DtachSocket } from '../../../server/terminal/dtach-socket.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { warmUp } from '../../../server/web/warm-up.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'warm-up-'));
  vi.stubEnv('TMPDIR', directory);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

test('a key after the other goes in by a terminal and out to its shell, and comes back', async () => {
  const input = vi.spyOn(Terminal.prototype, 'input');
  const written = vi.spyOn(DtachSocket.prototype, 'write');
  const acknowledged = vi.spyOn(Terminal.prototype, 'acknowledge');
  await warmUp(new Background(expect.unreachable));
  expect(input).toHaveBeenCalledTimes(100);
  expect(written).toHaveBeenCalledTimes(100);
  expect(acknowledged).toHaveBeenCalledTimes(100);
});

test('nothing is left of it: no file, no socket, no server, no timer', async () => {
  const open = () =>
    process.getActiveResourcesInfo().filter((what) => /Server|Pipe|TCP|Timeout/.test(what));
  const before = open().toSorted();
  await warmUp(new Background(expect.unreachable));
  await expect.poll(() => open().toSorted()).toEqual(before);
  expect(await readdir(directory)).toEqual([]);
});
