import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../../server/store/journal.ts';
import { Store } from '../../../server/store/store.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-store-'));
  path = join(directory, 'deep', 'quayside.sqlite');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a learner is found by the secret, which itself is not kept', () => {
  using store = new Store(path);
  const { learner, secret } = store.createLearner();
  expect(store.findLearner(secret)).toBe(learner);
  expect(store.findLearner(`${secret}x`)).toBeUndefined();
  const db = new DatabaseSync(path);
  expect(JSON.stringify(db.prepare('SELECT * FROM learners').all())).not.toContain(secret);
  db.close();
});

test('a session, its journal, passes and terminals are there after the file is opened again', () => {
  let id: string;
  let secret: string;
  {
    using store = new Store(path);
    const made = store.createLearner();
    secret = made.secret;
    id = store.session(made.learner, 'lab').id;
    store.setSandbox(id, 'box');
    new Journal(store, id).add({ kind: 'answer', check: 'port', text: '32768' });
    store.addPass(id, 'port', 5);
    store.addPass(id, 'port', 9);
    store.addTerminal(id, { id: 'b', host: 'server01', title: 'server01' });
    store.addTerminal(id, { id: 'a', host: 'client', title: 'client' });
  }
  using store = new Store(path);
  const learner = store.findLearner(secret) ?? '';
  expect(store.session(learner, 'lab')).toMatchObject({ id, sandbox: 'box' });
  expect(store.sessionsWithSandbox()).toHaveLength(1);
  expect(new Journal(store, id).last('answer')).toMatchObject({ seq: 1, text: '32768' });
  expect(store.passes(id)).toEqual(new Map([['port', 5]]));
  expect(store.terminals(id).map((terminal) => terminal.id)).toEqual(['b', 'a']);
  expect(store.instance).toMatch(/^[0-9a-f]{8}$/);
});

test('a cleared session keeps nothing of its past', () => {
  using store = new Store(':memory:');
  const { id } = store.session(store.createLearner().learner, 'lab');
  new Journal(store, id).add({ kind: 'answer', check: 'port', text: '1' });
  store.addPass(id, 'port', 1);
  store.clearSession(id);
  expect([store.signals(id), [...store.passes(id)]]).toEqual([[], []]);
});

test('what was passed with help is told apart, and can be opened again by itself', () => {
  using store = new Store(':memory:');
  const { id } = store.session(store.createLearner().learner, 'lab');
  store.addPass(id, 'own', 1);
  store.addPass(id, 'helped', 2, true);
  store.addPass(id, 'own', 3, true);
  expect([...store.assisted(id)]).toEqual(['helped']);
  store.clearAssisted(id);
  expect([...store.passes(id)]).toEqual([['own', 1]]);
});

test('a runaway loop in a host cannot fill the disk: the oldest signals go', () => {
  using store = new Store(':memory:');
  const { id } = store.session(store.createLearner().learner, 'lab');
  const journal = new Journal(store, id);
  for (let i = 0; i < 6_000; i++) journal.add({ kind: 'route', host: 'client', change: String(i) });
  expect(store.signals(id).length).toBeLessThanOrEqual(5_500);
  expect(journal.last('route')).toMatchObject({ seq: 6_000, change: '5999' });
  expect(new Journal(store, id).add({ kind: 'route', host: 'client', change: 'x' }).seq).toBe(
    6_001,
  );
});

test('a file written by a newer Quayside is refused, not harmed', () => {
  new Store(path)[Symbol.dispose]();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => new Store(path)).toThrow(/newer Quayside/);
});
