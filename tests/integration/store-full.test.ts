import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { QuaysideError } from '../../server/base/errors.ts';
import type { Journal } from '../../server/store/journal.ts';
import { Store } from '../../server/store/store.ts';

/** A disk of 8 MiB (the write-ahead log alone takes up to 4), which is soon full. Only root may mount one; the project's tests run as root or not at all. */
let disk: string;
const ballast = () => join(disk, 'ballast');

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'quayside-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'quayside-test', disk]);
});
afterEach(() => {
  execFileSync('umount', ['-l', disk]);
  rmSync(disk, { recursive: true });
});

/** Writes until there is no room at all. */
function fill(): void {
  for (let size = 256 * 1024; size >= 4096; size /= 2) {
    try {
      for (;;) writeFileSync(ballast(), Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full, for pieces of this size.
    }
  }
}

/** More than any slack in the file could take. */
function work(journal: Journal): void {
  for (let index = 0; index < 200; index++) {
    journal.add({ kind: 'answer', check: 'during', text: 'x'.repeat(400) });
  }
}

test('a full disk loses nothing of what happens, and hurts nothing of what is there', async () => {
  const path = join(disk, 'quayside.sqlite');
  {
    using store = new Store(path);
    const { learner } = store.learners.create();
    const session = store.session(learner, 'lab');
    await session.begin({ sandbox: 'box', at: 1 });
    const { journal } = session;
    journal.add({ kind: 'answer', check: 'before', text: '1' });
    fill();
    expect(statSync(ballast()).size).toBeGreaterThan(100_000);
    work(journal);
    journal.pass({ check: 'during', at: 7, about: 'state', assisted: false });
    session.setQueued(5);
    session.setQueued(undefined);
    expect([store.unwritten > 0, store.obstacle]).toEqual([true, 'disk']);
    expect(journal.all('answer')).toHaveLength(201);
    // What has to be on disk first is refused, in the words of the catalogue.
    const begun = session.begin({ sandbox: 'next', at: 2 });
    await expect(begun).rejects.toThrow(QuaysideError);
    await expect(begun).rejects.toThrow(/is full/);
    expect(session.row.sandbox).toBe('box');
    truncateSync(ballast(), 0);
    await expect.poll(() => store.unwritten).toBe(0);
  }
  using store = new Store(path);
  const [session] = store.sessionsWithSandbox();
  expect(session?.row).toMatchObject({ sandbox: 'box', queuedAt: undefined });
  expect(session?.journal.all('answer')).toHaveLength(201);
  expect(session?.journal.passes.has('during')).toBe(true);
  const other = new DatabaseSync(path);
  expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  other.close();
});

test('what waited for room is written before what comes after it', async () => {
  using store = new Store(join(disk, 'quayside.sqlite'));
  const { learner } = store.learners.create();
  const session = store.session(learner, 'lab');
  await session.begin({ sandbox: 'box', at: 1 });
  fill();
  work(session.journal);
  session.sandboxGone();
  expect(store.unwritten).toBeGreaterThan(0);
  truncateSync(ballast(), 0);
  await session.begin({ sandbox: 'another', at: 2 });
  expect(store.unwritten).toBe(0);
  expect(session.row.sandbox).toBe('another');
});
