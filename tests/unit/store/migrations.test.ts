import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../server/store/migrations.ts';
import { Store } from '../../../server/store/store.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-store-'));
  path = join(directory, 'quayside.sqlite');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A file as a server of that layout left it. */
function old(layout: number, rows: string): void {
  const db = new DatabaseSync(path);
  for (const migration of MIGRATIONS.slice(0, layout)) db.exec(migration);
  db.exec(`${rows} PRAGMA user_version = ${layout};`);
  db.close();
}

/** A learner at work, as the layout before passes were one row had it: each pass twice, but for those of older hosts. */
const AT_WORK = `
  INSERT INTO meta VALUES ('instance', '0123abcd');
  INSERT INTO learners VALUES ('learner', 'hash', 1);
  INSERT INTO sessions (id, learner, lab, sandbox, created_at, queued_at, started_at, extended_ms, ended)
    VALUES ('session', 'learner', 'lab', 'box', 1, NULL, 2, 60000, NULL);
  INSERT INTO passes (session, check_id, at, assisted) VALUES
    ('session', 'earlier', 5, 0), ('session', 'state', 10, 1), ('session', 'past', 12, 0);
  INSERT INTO signals VALUES
    ('session', 1, 9, '{"kind":"route","host":"client","change":"x"}'),
    ('session', 2, 10, '{"kind":"pass","check":"state","about":"state"}'),
    ('session', 3, 12, '{"kind":"pass","check":"past","about":"past"}'),
    ('session', 4, 13, '{"kind":"pass","check":"only the signal","about":"past"}'),
    ('session', 5, 14, '{"kind":"answer","check":"port","text":"32768"}');
  INSERT INTO terminals VALUES ('b', 'session', 'client', 'client', 1), ('a', 'session', 'server01', 'server01', 2);`;

test('a file of a server that wrote each pass twice is taken up, with every pass and all that is known of it', () => {
  old(4, AT_WORK);
  using store = new Store(path);
  expect(store.instance).toBe('0123abcd');
  expect(store.sessionsWithSandbox().map(({ row }) => row)).toEqual([
    {
      id: 'session',
      learner: 'learner',
      lab: 'lab',
      sandbox: 'box',
      queuedAt: undefined,
      startedAt: 2,
      extendedMs: 60_000,
      ended: undefined,
    },
  ]);
  const session = store.session('learner', 'lab');
  const { journal } = session;
  expect(Object.fromEntries(journal.passes)).toEqual({
    earlier: { at: 5, assisted: false, about: undefined },
    state: { at: 10, assisted: 'step', about: 'state' },
    past: { at: 12, assisted: false, about: 'past' },
    'only the signal': { at: 13, assisted: false, about: 'past' },
  });
  expect(journal.all('pass')).toEqual([
    { kind: 'pass', check: 'state', about: 'state', seq: 2, at: 10 },
    { kind: 'pass', check: 'past', about: 'past', seq: 3, at: 12 },
    { kind: 'pass', check: 'only the signal', about: 'past', seq: 4, at: 13 },
  ]);
  expect(journal.size).toBe(5);
  journal.add({ kind: 'answer', check: 'port', text: '2' });
  expect(journal.last('answer')).toMatchObject({ seq: 6, text: '2' });
  expect(session.terminals.map(({ id }) => id)).toEqual(['b', 'a']);
  const db = new DatabaseSync(path);
  expect(db.prepare('SELECT * FROM signals WHERE body LIKE \'%"pass"%\'').all()).toEqual([]);
  expect(db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
  db.close();
});

test('the first layout of all is taken up', () => {
  old(
    1,
    `INSERT INTO learners VALUES ('learner', 'hash', 1);
     INSERT INTO sessions VALUES ('session', 'learner', 'lab', 'box', 1);
     INSERT INTO passes VALUES ('session', 'port', 5);
     INSERT INTO signals VALUES ('session', 1, 5, '{"kind":"pass","check":"port"}');`,
  );
  using store = new Store(path);
  expect(store.instance).toMatch(/^[0-9a-f]{8}$/);
  // What it speaks of was not noted then: it counts as what nothing takes back.
  expect(store.session('learner', 'lab').journal.passes.get('port')).toEqual({
    at: 5,
    assisted: false,
    about: 'past',
  });
});

test('a migration that fails leaves the file as it was', () => {
  old(4, `${AT_WORK} INSERT INTO signals VALUES ('session', 6, 15, 'no JSON');`);
  expect(() => new Store(path)).toThrow(/JSON/);
  const db = new DatabaseSync(path);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 4 });
  expect(db.prepare('SELECT count(*) AS count FROM signals').get()).toEqual({ count: 6 });
  db.close();
});

/** What two browsers without a class, and a member of one, had when each browser was a learner of its own. */
const TWO_BROWSERS = `
  INSERT INTO learners VALUES ('early', 'hash of early', 1), ('late', 'hash of late', 2), ('ada', 'hash of ada', 3);
  INSERT INTO classes VALUES ('Docker 101', 'CODE', 'hash', 1);
  INSERT INTO members VALUES ('ada', 'Docker 101', 'Ada', 'ada', 3, NULL);
  INSERT INTO sessions (id, learner, lab, sandbox, created_at, started_at) VALUES
    ('s1', 'early', 'lab', 'box of early', 1, 2), ('s2', 'late', 'lab', 'box of late', 3, 4),
    ('s3', 'late', 'other', NULL, 5, NULL), ('s4', 'ada', 'lab', 'box of ada', 6, 7);
  INSERT INTO passes (session, check_id, at, about, seq) VALUES
    ('s1', 'port', 10, 'state', 1), ('s1', 'route', 11, 'past', 2), ('s2', 'port', 20, 'state', 1);
  INSERT INTO signals VALUES
    ('s1', 3, 30, '{"kind":"answer","check":"port","text":"old"}'),
    ('s2', 2, 40, '{"kind":"answer","check":"port","text":"new"}');
  INSERT INTO terminals VALUES ('t1', 's1', 'client', 'client', 1), ('t2', 's2', 'client', 'client', 2);`;

test('learners of several browsers become one, with the hosts that were used last and the passes of all', () => {
  old(5, TWO_BROWSERS);
  {
    using store = new Store(path);
    expect(store.sessionsWithSandbox().map(({ row }) => [row.learner, row.sandbox])).toEqual([
      ['early', 'box of late'],
      ['ada', 'box of ada'],
    ]);
    const session = store.session('early', 'lab');
    expect(Object.fromEntries(session.journal.passes)).toEqual({
      port: { at: 20, assisted: false, about: 'state' },
      route: { at: 11, assisted: false, about: undefined },
    });
    expect(session.journal.last('answer')).toMatchObject({ text: 'new' });
    expect(session.terminals.map(({ id }) => id)).toEqual(['t2']);
    expect(store.session('early', 'other').id).toBe('s3');
    const secret = store.learners.signIn();
    expect(store.learners.find(secret)).toBe('early');
    expect(store.tellUnited()).toEqual({ browsers: 2, sandboxes: 1 });
  }
  using store = new Store(path);
  expect(store.tellUnited()).toBeUndefined();
  const db = new DatabaseSync(path);
  expect(db.prepare('SELECT hash, learner FROM secrets WHERE hash LIKE ?').all('hash of%')).toEqual(
    [{ hash: 'hash of late', learner: 'early' }],
  );
  expect(db.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
  db.close();
});

test('one browser alone keeps its learner, and there is nothing to tell', () => {
  old(4, AT_WORK);
  using store = new Store(path);
  expect(store.learners.find(store.learners.signIn())).toBe('learner');
  expect(store.tellUnited()).toBeUndefined();
});

test('a file of a server that kept no version is taken up, and a session that begins keeps its own', async () => {
  old(4, AT_WORK);
  {
    using store = new Store(path);
    const session = store.session('learner', 'lab');
    expect(session.row).toMatchObject({ sandbox: 'box', version: undefined });
    await session.begin({ sandbox: 'next', at: 3, version: 2 });
  }
  using store = new Store(path);
  expect(store.session('learner', 'lab').row).toMatchObject({ sandbox: 'next', version: 2 });
});
