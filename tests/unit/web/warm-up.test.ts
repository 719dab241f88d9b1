import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { DtachSocket } from '../../../server/terminal/dtach-socket.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { warmUp } from '../../../server/web/warm-up.ts';

/** A handle is closed within a few turns of the event loop; a busy machine has its ends told late. */
const TURNS = 300;
/** More often than timers end meanwhile that were there before: what one warm-up leaves is seen. */
const TIMES = 5;

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
  const before = open();
  const left = () => {
    const rest = [...before];
    return open().filter((what) => {
      const at = rest.indexOf(what);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  for (let time = 0; time < TIMES; time++) await warmUp(new Background(expect.unreachable));
  // By turns of the event loop: what waits by a timer would find its own.
  for (let turn = 0; turn < TURNS && left().length > 0; turn++) await setImmediate();
  expect(left()).toEqual([]);
  expect(await readdir(directory)).toEqual([]);
});
