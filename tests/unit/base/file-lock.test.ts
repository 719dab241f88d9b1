import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileLock } from '../../../server/base/file-lock.ts';

const HOLDER = join(import.meta.dirname, 'file-lock-holder.ts');

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-lock-'));
  path = join(directory, 'a.lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Another process that tries to take the lock, and has it until it is killed. */
async function other(kind: 'exclusive' | 'shared') {
  const child = execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', HOLDER, path, kind],
    {
      stdin: 'pipe',
      reject: false,
    },
  );
  const heard = child.iterable();
  const { value: says } = await heard.next();
  return {
    says,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}

it('is one process’s alone, and the next one’s as soon as that one is killed', async () => {
  {
    await using first = await other('exclusive');
    expect(first.says).toBe('held');
    await using second = await other('exclusive');
    expect(second.says).toBe('refused');
    expect(FileLock.take(path, 'exclusive')).toBeUndefined();
    expect(FileLock.take(path, 'shared')).toBeUndefined();
  }
  using mine = FileLock.take(path, 'exclusive');
  expect(mine?.isHeld).toBe(true);
});

it('can be shared, and cannot be had alone while it is shared', async () => {
  using mine = FileLock.take(path, 'shared');
  expect(mine?.isHeld).toBe(true);
  {
    await using also = await other('shared');
    expect(also.says).toBe('held');
    mine?.[Symbol.dispose]();
    expect(FileLock.take(path, 'exclusive')).toBeUndefined();
  }
  using alone = FileLock.take(path, 'exclusive');
  expect(alone?.isHeld).toBe(true);
});

it('is let go of when it is disposed of, once and for all', () => {
  const first = FileLock.take(path, 'exclusive');
  first?.[Symbol.dispose]();
  expect(first?.isHeld).toBe(false);
  using second = FileLock.take(path, 'exclusive');
  first?.[Symbol.dispose]();
  expect(second?.isHeld).toBe(true);
  expect(FileLock.take(path, 'exclusive')).toBeUndefined();
});

it('of two who take it at the same instant, one has it', async () => {
  const both = await Promise.all([other('exclusive'), other('exclusive')]);
  await using _first = both[0];
  await using _second = both[1];
  expect(both.map(({ says }) => says)).toContain('held');
});

it('that cannot be made is an error, and no refusal', () => {
  expect(() => FileLock.take(join(directory, 'nowhere', 'a.lock'), 'exclusive')).toThrow(
    'unable to open',
  );
});
