import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { QuaysideError } from '../../../server/base/errors.ts';
import { Store } from '../../../server/store/store.ts';
import type { StoredSession } from '../../../server/store/stored-session.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';
import { BACKINGS } from './backings.ts';

const ANSWER = { kind: 'answer', check: 'port', text: '32768' } as const;
const OWN = { check: 'own', at: 5, about: 'state', assisted: false } as const;
const HELPED = { check: 'helped', at: 6, about: 'past', assisted: 'step' } as const;
const TERMINAL = { id: 'tty', host: 'server01', title: 'server01' };

/** A session with hosts on which something happened, something was passed, and a terminal was opened. */
async function worked(store: Store) {
  const { learner } = store.learners.create();
  const session = store.session(learner, 'lab');
  await session.begin({ sandbox: 'box', at: 100 });
  session.journal.add(ANSWER);
  session.journal.pass(OWN);
  session.journal.pass(HELPED);
  session.addTerminal(TERMINAL);
  return { session, id: session.id, learner };
}

/** More than the store waits between two tries. */
async function soon(): Promise<void> {
  await vi.advanceTimersByTimeAsync(2_000);
}

describe.each(BACKINGS)('a store %s', (_, open) => {
  test('finds a learner by the secret, which itself is not kept', () => {
    using at = open();
    const { learner, secret } = at.store.learners.create();
    expect(at.store.learners.find(secret)).toBe(learner);
    expect(at.store.learners.find(`${secret}x`)).toBeUndefined();
    expect(at.rows('learners')).toHaveLength(1);
    expect(JSON.stringify(at.rows('learners'))).not.toContain(secret);
  });

  test('knows a learner by the newest secret alone', () => {
    using at = open();
    const { learner, secret } = at.store.learners.create();
    const renewed = at.store.learners.renewSecret(learner);
    expect([secret, renewed].map((each) => at.store.learners.find(each))).toEqual([
      undefined,
      learner,
    ]);
  });

  test('signs every browser in as one learner, each with a secret of its own', () => {
    using at = open();
    const { learners } = at.store;
    const secrets = [learners.signIn(), learners.signIn(), learners.signIn()];
    expect(new Set(secrets).size).toBe(3);
    expect(new Set(secrets.map((secret) => learners.find(secret))).size).toBe(1);
    expect(learners.find(learners.create().secret)).not.toBe(learners.find(secrets[0] ?? ''));
    expect(JSON.stringify(at.rows('secrets'))).not.toContain(secrets[1]);
  });

  test('knows of a secret that leads nowhere any more why that is', () => {
    using at = open();
    const { learners } = at.store;
    const { learner, secret } = learners.create();
    expect([secret, 'guess'].map((each) => learners.retired(each))).toEqual([undefined, undefined]);
    const renewed = learners.renewSecret(learner);
    at.store.removeLearner(learner);
    expect([secret, renewed].map((each) => learners.retired(each))).toEqual([
      'replaced',
      'removed',
    ]);
    expect([secret, renewed].map((each) => learners.find(each))).toEqual([undefined, undefined]);
    expect(at.rows('secrets')).toMatchObject([{ learner: null }, { learner: null }]);
  });

  test('makes a session on first use, and finds it from then on', () => {
    using at = open();
    const { learner } = at.store.learners.create();
    const { id } = at.store.session(learner, 'lab');
    expect(at.store.session(learner, 'lab').id).toBe(id);
    expect(at.store.session(learner, 'another').id).not.toBe(id);
    expect(at.rows('sessions')).toHaveLength(2);
  });

  test('keeps what is said of a session', async () => {
    using at = open();
    const { store } = at;
    const { session } = await worked(store);
    const row = () => session.row;
    expect(row()).toMatchObject({ sandbox: 'box', startedAt: 100, extendedMs: 0 });
    session.setExtended(60_000);
    session.setEnded('Time is up.');
    expect(row()).toMatchObject({ sandbox: undefined, extendedMs: 60_000, ended: 'Time is up.' });
    expect(session.terminals).toEqual([]);
    session.setQueued(7);
    expect(row()).toMatchObject({ queuedAt: 7, ended: undefined });
    session.setQueued(undefined);
    expect(row().queuedAt).toBeUndefined();
    expect(at.rows('sessions')).toMatchObject([
      { sandbox: null, queued_at: null, started_at: 100, extended_ms: 60_000, ended: null },
    ]);
    expect(at.rows('terminals')).toEqual([]);
  });

  test('tells who has a sandbox, and who waits, first come first', async () => {
    using at = open();
    const { store } = at;
    const { session } = await worked(store);
    for (const [lab, since] of [
      ['late', 9],
      ['early', 8],
    ] as const) {
      store.session(store.learners.create().learner, lab).setQueued(since);
    }
    expect(store.sessionsWithSandbox()).toEqual([session]);
    expect(store.sessionsInQueue().map(({ row }) => row.lab)).toEqual(['early', 'late']);
    session.sandboxGone();
    expect(store.sessionsWithSandbox()).toEqual([]);
    expect(session.terminals).toEqual([]);
  });

  test('forgets with a sandbox what happened on it, and keeps what was passed', async () => {
    using at = open();
    const { store } = at;
    const { session } = await worked(store);
    await session.begin({ sandbox: 'next', at: 200 });
    expect(session.journal.size).toBe(0);
    expect([...session.journal.passes]).toEqual([
      ['helped', { at: 6, about: undefined, assisted: 'step' }],
      ['own', { at: 5, about: undefined, assisted: false }],
    ]);
    expect(session.terminals).toEqual([]);
    expect([at.rows('signals'), at.rows('terminals')]).toEqual([[], []]);
  });

  test('begins again whatever had ended, waited or been given more time', async () => {
    using at = open();
    const { store } = at;
    const { session, id, learner } = await worked(store);
    session.setExtended(1);
    session.setEnded('You ended this lab.');
    session.setQueued(2);
    await session.begin({ sandbox: 'next', at: 200 });
    expect(store.session(learner, 'lab').row).toEqual({
      id,
      learner,
      lab: 'lab',
      sandbox: 'next',
      startedAt: 200,
      extendedMs: 0,
      queuedAt: undefined,
      ended: undefined,
    });
  });

  test('takes over the id on a sandbox that was there before, with all that is kept', async () => {
    using at = open();
    const { store } = at;
    const { session, learner } = await worked(store);
    await session.begin({ id: 'label', sandbox: 'warm', at: 300 });
    expect(store.session(learner, 'lab').row).toMatchObject({ id: 'label', sandbox: 'warm' });
    expect([...session.journal.passes.keys()]).toEqual(['helped', 'own']);
    session.journal.add(ANSWER);
    session.addTerminal(TERMINAL);
    session.setExtended(5);
    expect(at.rows('sessions')).toMatchObject([{ id: 'label', extended_ms: 5 }]);
    for (const table of ['signals', 'passes', 'terminals']) {
      expect(new Set(at.rows(table).map(({ session }) => session))).toEqual(new Set(['label']));
    }
    expect(at.lost).toEqual([]);
  });

  test.each([
    ['all', []],
    ['assisted', ['own']],
  ] as const)('starts over and forgets of what was passed: %s', async (forget, kept) => {
    using at = open();
    const { store } = at;
    const { session, learner } = await worked(store);
    await session.startOver({ queuedAt: 400, forget });
    expect([...session.journal.passes.keys()]).toEqual(kept);
    expect(at.rows('passes').map(({ check_id }) => check_id)).toEqual(kept);
    expect([at.rows('signals'), at.rows('terminals')]).toEqual([[], []]);
    expect(store.session(learner, 'lab').row).toMatchObject({ sandbox: undefined, queuedAt: 400 });
  });

  test('takes nothing more into the journal of hosts that are gone', async () => {
    using at = open();
    const { store } = at;
    const { session } = await worked(store);
    const old = session.journal;
    await session.begin({ sandbox: 'next', at: 200 });
    old.add(ANSWER);
    old.pass({ ...OWN, check: 'late' });
    expect(session.journal.size).toBe(0);
    expect(at.rows('signals')).toEqual([]);
    expect(at.rows('passes')).toHaveLength(2);
  });

  test('keeps a class, its members and their hands', () => {
    using at = open();
    const { store } = at;
    const { learners } = store;
    learners.putClass({ name: 'Docker 101', code: 'ABCD-EFGH', instructorHash: 'hash' });
    learners.putClass({ name: 'Docker 101', code: 'WXYZ-EFGH', instructorHash: 'hash' });
    const { learner, secret } = store.learners.create();
    expect(learners.join('Docker 101', learner, 'Ada')).toMatchObject({ learner, name: 'Ada' });
    expect(learners.join('Docker 101', store.learners.create().learner, 'ADA')).toBeUndefined();
    learners.setHand(learner, 12);
    expect(learners.findClass('Docker 101')).toMatchObject({ code: 'WXYZ-EFGH' });
    expect(learners.members('Docker 101')).toMatchObject([{ name: 'Ada', handAt: 12 }]);
    expect(learners.members('Another')).toEqual([]);
    expect(store.learners.findMember('Docker 101', secret)).toMatchObject({ name: 'Ada' });
    expect(store.learners.findMember('Another', secret)).toBeUndefined();
    // A class's learner is nobody where no class is served.
    expect(store.learners.find(secret)).toBeUndefined();
    expect(at.rows('members')).toMatchObject([{ name: 'Ada', hand_at: 12 }]);
  });

  test('keeps nothing of a learner who is removed, whatever comes late', async () => {
    using at = open();
    const { store } = at;
    const { session, id, learner } = await worked(store);
    const journal = session.journal;
    store.learners.putClass({ name: 'Docker 101', code: 'ABCD-EFGH', instructorHash: 'hash' });
    store.learners.join('Docker 101', learner, 'Ada');
    store.removeLearner(learner);
    journal.add(ANSWER);
    session.journal.add(ANSWER);
    session.setEnded('Removed.');
    session.sandboxGone();
    session.addTerminal(TERMINAL);
    await expect(session.begin({ sandbox: 'next', at: 1 })).rejects.toThrow(id);
    // Of the secret it is known that its learner was removed: whoever holds it is told so.
    expect(at.rows('secrets')).toMatchObject([{ learner: null, retired: 'removed' }]);
    const others = ['meta', 'classes', 'secrets'];
    for (const table of at.tables().filter((name) => !others.includes(name))) {
      expect([table, at.rows(table)]).toEqual([table, []]);
    }
    expect(at.lost).toEqual([]);
  });

  describe('while another process holds the lock', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test('sees what was said since, and keeps all of it as soon as the lock is gone', async () => {
      using at = open();
      const { store } = at;
      const lock = at.lock();
      const { learner, secret } = store.learners.create();
      expect(store.learners.find(secret)).toBe(learner);
      const session = store.session(learner, 'lab');
      const { id } = session;
      session.setQueued(3);
      session.journal.add(ANSWER);
      session.journal.pass(OWN);
      session.addTerminal(TERMINAL);
      expect(store.session(learner, 'lab').row).toMatchObject({ id, queuedAt: 3 });
      expect(store.sessionsInQueue()).toHaveLength(1);
      expect(session.journal.last('answer')).toMatchObject(ANSWER);
      expect(session.journal.passes.has('own')).toBe(true);
      expect(session.terminals).toEqual([TERMINAL]);
      expect([store.unwritten, store.obstacle]).toEqual([6, 'lock']);
      await soon();
      expect(store.unwritten).toBe(6);
      lock[Symbol.dispose]();
      await soon();
      expect([store.unwritten, store.obstacle]).toEqual([0, undefined]);
      expect(at.rows('learners')).toMatchObject([{ id: learner }]);
      expect(at.rows('sessions')).toMatchObject([{ id, queued_at: 3 }]);
      expect(at.rows('signals')).toHaveLength(1);
      expect(at.rows('passes')).toMatchObject([{ check_id: 'own', at: 5, about: 'state' }]);
      expect(at.rows('terminals')).toMatchObject([{ id: 'tty' }]);
      expect(at.lost).toEqual([]);
    });

    test('makes no sandbox before its row is written, after all that was said before', async () => {
      using at = open();
      const { store } = at;
      const { session, id, learner } = await worked(store);
      const lock = at.lock();
      let isWritten = false;
      const begun = session.begin({ id: 'label', sandbox: 'warm', at: 1 });
      void begun.then(() => {
        isWritten = true;
      });
      // Passed on the old hosts, while the new ones are waited for.
      session.journal.pass({ ...OWN, check: 'meanwhile' });
      await soon();
      expect(isWritten).toBe(false);
      expect(store.session(learner, 'lab').row).toMatchObject({ id, sandbox: 'box' });
      lock[Symbol.dispose]();
      await soon();
      await begun;
      expect(store.session(learner, 'lab').row).toMatchObject({ id: 'label', sandbox: 'warm' });
      expect(session.journal.passes.has('meanwhile')).toBe(true);
      expect(at.rows('passes').map(({ session }) => session)).toEqual(Array(3).fill('label'));
      expect(at.lost).toEqual([]);
    });

    test('refuses what waits still for a learner who is removed, and follows an id that changes', async () => {
      using at = open();
      const { store } = at;
      const { session } = await worked(store);
      const other = await worked(store);
      const lock = at.lock();
      const taken = session.begin({ id: 'label', sandbox: 'warm', at: 1 });
      const late = session.startOver({ queuedAt: 2, forget: 'all' });
      const begun = other.session.begin({ sandbox: 'next', at: 3 });
      const refused = expect(begun).rejects.toThrow(other.id);
      store.removeLearner(other.learner);
      lock[Symbol.dispose]();
      await soon();
      await Promise.all([taken, late, refused]);
      expect(at.rows('sessions')).toMatchObject([{ id: 'label', sandbox: null, queued_at: 2 }]);
      expect([at.rows('passes'), session.journal.passes.size]).toEqual([[], 0]);
    });

    test('takes back a sandbox that is wanted no more', async () => {
      using at = open();
      const { store } = at;
      const { session, learner } = await worked(store);
      const lock = at.lock();
      const ending = new AbortController();
      const begun = session.begin({ sandbox: 'next', at: 1 }, ending.signal);
      ending.abort(new Error('ended'));
      await expect(begun).rejects.toThrow('ended');
      lock[Symbol.dispose]();
      await soon();
      expect(store.session(learner, 'lab').row.sandbox).toBe('box');
      expect(at.rows('sessions')).toMatchObject([{ sandbox: 'box' }]);
    });

    test('leaves no timer when it is closed', async () => {
      {
        using at = open();
        await worked(at.store);
        const lock = at.lock();
        at.store.learners.create();
        expect(vi.getTimerCount()).toBe(1);
        lock[Symbol.dispose]();
      }
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

describe('in a file', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'quayside-store-'));
    path = join(directory, 'quayside.sqlite');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('all that was kept is there when it is opened again', async () => {
    let before: Awaited<ReturnType<typeof worked>>;
    let instance: string;
    let secret: string;
    {
      using store = new Store(path);
      before = await worked(store);
      instance = store.instance;
      before.session.addTerminal({ id: 'a', host: 'client', title: 'client' });
      store.learners.putClass({ name: 'Docker 101', code: 'ABCD-EFGH', instructorHash: 'hash' });
      const joined = store.learners.create();
      secret = joined.secret;
      store.learners.join('Docker 101', joined.learner, 'Ada');
    }
    using store = new Store(path);
    const { id, learner } = before;
    const session = store.session(learner, 'lab');
    expect(store.instance).toBe(instance);
    expect(instance).toMatch(/^[0-9a-f]{8}$/);
    expect(store.session(learner, 'lab').row).toMatchObject({ id, sandbox: 'box', startedAt: 100 });
    expect(session.terminals.map((terminal) => terminal.id)).toEqual(['tty', 'a']);
    const journal = session.journal;
    expect(journal.last('answer')).toMatchObject({ ...ANSWER, seq: 1 });
    expect(journal.last('pass')).toEqual({
      kind: 'pass',
      check: 'helped',
      about: 'past',
      seq: 3,
      at: 6,
    });
    expect([...journal.passes]).toEqual([
      ['own', { at: 5, about: 'state', assisted: false }],
      ['helped', { at: 6, about: 'past', assisted: 'step' }],
    ]);
    expect(store.learners.findMember('Docker 101', secret)).toMatchObject({ name: 'Ada' });
  });

  test('two servers on one file lose what both say in one place, and go on', async () => {
    const lost: string[] = [];
    const onError = (_: string, error: unknown) => lost.push((error as Error).message);
    using one = new Store(path, onError);
    const { session, learner } = await worked(one);
    using two = new Store(path, onError);
    const [first, second] = [session.journal, two.session(learner, 'lab').journal];
    first.add(ANSWER);
    second.add(ANSWER);
    second.pass({ ...OWN, check: 'other' });
    first.add(ANSWER);
    expect(lost).toEqual([expect.stringMatching(/UNIQUE constraint failed: signals/)]);
    expect([one.unwritten, two.unwritten]).toEqual([0, 0]);
    using three = new Store(path);
    expect(three.session(learner, 'lab').journal.passes.has('other')).toBe(true);
  });

  test('what waits for a lock still when the server stops is written once the lock is gone', () => {
    const store = new Store(path);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const { secret } = store.learners.create();
    other.exec('ROLLBACK');
    store[Symbol.dispose]();
    other.close();
    using again = new Store(path);
    expect(again.learners.find(secret)).toBeDefined();
  });

  test('written by a newer Quayside it is refused, not harmed, and let go of', () => {
    new Store(path)[Symbol.dispose]();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    expect(() => new Store(path)).toThrow(/newer Quayside/);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    db.close();
  });
});

describe('on a disk that is full', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const CHANGES = [
    ['a new sandbox', (session: StoredSession) => session.begin({ sandbox: 'n', at: 1 })],
    [
      'a sandbox from the pool',
      (session: StoredSession) => session.begin({ id: 'label', sandbox: 'n', at: 1 }),
    ],
    ['a reset', (session: StoredSession) => session.startOver({ queuedAt: 1, forget: 'all' })],
  ] as const;

  test.each(CHANGES)('%s is refused, and nothing of it done', async (_, change) => {
    const database = new FaultyDatabase();
    using store = new Store(database);
    const { session, id, learner } = await worked(store);
    const kept = () =>
      ['sessions', 'signals', 'passes', 'terminals'].map((table) =>
        database.all(`SELECT * FROM ${table}`),
      );
    const before = kept();
    const { row } = session;
    const journal = session.journal;
    database.obstacle = 'disk';
    // Full from the first statement on, then from the second, to the commit itself.
    for (let index = 0; index < 6; index++) {
      database.statementsLeft = index;
      await expect(change(session)).rejects.toThrow(QuaysideError);
      expect(kept()).toEqual(before);
    }
    expect(store.session(learner, 'lab').row).toBe(row);
    expect(session.journal).toBe(journal);
    expect(session.terminals).toEqual([TERMINAL]);
    // What happens afterwards belongs to the session as it is.
    journal.pass({ ...OWN, check: 'after' });
    database.obstacle = undefined;
    await soon();
    expect(store.unwritten).toBe(0);
    expect(database.all('SELECT session FROM passes')).toEqual(Array(3).fill({ session: id }));
    await change(session);
    expect(store.session(learner, 'lab').row).not.toEqual(row);
  });

  test('a learner is removed with all that is kept of them, or not at all', async () => {
    const database = new FaultyDatabase();
    using store = new Store(database);
    const { learner } = await worked(store);
    database.obstacle = 'disk';
    database.statementsLeft = 3;
    store.removeLearner(learner);
    expect(database.all('SELECT * FROM signals')).toHaveLength(1);
    expect(database.all('SELECT * FROM learners')).toHaveLength(1);
    database.obstacle = undefined;
    await soon();
    for (const table of ['signals', 'passes', 'terminals', 'sessions', 'learners']) {
      expect(database.all(`SELECT * FROM ${table}`)).toEqual([]);
    }
  });
});
