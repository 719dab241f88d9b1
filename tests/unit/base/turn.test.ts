import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeTurn } from '../../../server/base/turn.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-turn-'));
  path = join(directory, 'lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

const unasked = () => {
  throw new Error('waited');
};

test('a turn is taken at once where nobody has it, and leaves no note behind', async () => {
  (await takeTurn(path, unasked))[Symbol.dispose]();
  expect(existsSync(`${path}.pid`)).toBe(false);
  using _ = await takeTurn(path, unasked);
});

test('whoever waits is told once which process has it, and has it next', async () => {
  const first = await takeTurn(path, unasked);
  const told: unknown[] = [];
  const asked = Promise.withResolvers<void>();
  const second = takeTurn(path, (holder) => {
    told.push(holder);
    asked.resolve();
  });
  await asked.promise;
  first[Symbol.dispose]();
  using _ = await second;
  expect(told).toEqual([process.pid]);
});

test('a note of a process that is gone names nobody', async () => {
  const first = await takeTurn(path, unasked);
  writeFileSync(`${path}.pid`, '4194305');
  const asked = Promise.withResolvers<unknown>();
  const second = takeTurn(path, asked.resolve);
  expect(await asked.promise).toBeUndefined();
  first[Symbol.dispose]();
  using _ = await second;
});
