import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { untilEarlyIsDone } from '../../../server/engine/early.ts';

test('a server waits for what was begun before it, says so, and goes on when that has ended', async () => {
  const early = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(early, 'exit');
  const told = Promise.withResolvers<string>();
  const waited = untilEarlyIsDone(told.resolve, early.pid);
  expect(await told.promise).toContain('Waiting until the Docker Engine');
  early.stdin.end();
  await ended;
  await waited;
});

test('nothing is waited for where nothing was begun', async () => {
  const told: string[] = [];
  await untilEarlyIsDone((line) => told.push(line), Number.NaN);
  expect(told).toEqual([]);
});
