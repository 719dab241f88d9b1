import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { QuaysideError } from '../../server/base/errors.ts';
import { Journal } from '../../server/store/journal.ts';
import { Store } from '../../server/store/store.ts';
import { WriteBehind } from '../../server/store/write-behind.ts';

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

test('a full disk loses nothing of what happens, and hurts nothing of what is there', async () => {
  const path = join(disk, 'quayside.sqlite');
  using store = new Store(path);
  const { learner } = store.createLearner();
  const { id } = store.session(learner, 'lab');
  const journal = new Journal(store, id);
  journal.add({ kind: 'answer', check: 'before', text: '1' });
  fill();
  expect(statSync(ballast()).size).toBeGreaterThan(100_000);
  // More than any slack in the file could take.
  for (let index = 0; index < 200; index++) {
    journal.add({ kind: 'answer', check: 'during', text: 'x'.repeat(400) });
  }
  store.addPass(id, 'during', 7);
  expect(store.unwritten).toBeGreaterThan(0);
  expect(journal.all('answer')).toHaveLength(201);
  // What has to be on disk first is refused, in the words of the catalogue.
  expect(() => store.setSandbox(id, 'box')).toThrow(QuaysideError);
  expect(() => store.setSandbox(id, 'box')).toThrow(/is full/);
  truncateSync(ballast(), 0);
  await expect.poll(() => store.unwritten, { timeout: 10_000 }).toBe(0);
  store.setSandbox(id, 'box');
  expect(store.signals(id)).toHaveLength(201);
  expect(store.passes(id)).toEqual(new Map([['during', 7]]));
  const other = new DatabaseSync(path);
  expect(other.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  other.close();
});

/** A store on a disk that is full by now, and a session in it. */
function onFullDisk(): { readonly store: Store; readonly learner: string; readonly id: string } {
  const store = new Store(join(disk, 'quayside.sqlite'));
  const { learner } = store.createLearner();
  const { id } = store.session(learner, 'lab');
  store.setSandbox(id, 'box');
  fill();
  // More than any slack in the file could take.
  const journal = new Journal(store, id);
  for (let index = 0; index < 200; index++) {
    journal.add({ kind: 'answer', check: 'filler', text: 'x'.repeat(400) });
  }
  return { store, learner, id };
}

test('a pass from while the disk was full outlives the sandbox that it was earned on', () => {
  using late = new WriteBehind();
  const written: string[] = [];
  let isFull = true;
  const write = (what: string) => () => {
    if (isFull) throw new QuaysideError('DISK_FULL', 'The disk is full.', 'Free some room.');
    written.push(what);
  };
  late.write('session', 'journal', write('a signal'));
  late.write('session', 'session', write('a pass'));
  late.forgetJournal('session');
  isFull = false;
  late.flush();
  expect(written).toEqual(['a pass']);
});

test('a place in the queue can be given up while the disk is full', async () => {
  const { store, learner, id } = onFullDisk();
  using _ = store;
  store.setQueued(id, 5);
  store.setQueued(id, undefined);
  truncateSync(ballast(), 0);
  await expect.poll(() => store.unwritten, { timeout: 10_000 }).toBe(0);
  expect(store.session(learner, 'lab').queuedAt).toBeUndefined();
});

test('what was written late does not undo what was written since', () => {
  const { store, learner, id } = onFullDisk();
  using _ = store;
  store.setSandbox(id, undefined);
  truncateSync(ballast(), 0);
  store.setSandbox(id, 'another');
  expect(store.unwritten).toBe(0);
  expect(store.session(learner, 'lab').sandbox).toBe('another');
});
