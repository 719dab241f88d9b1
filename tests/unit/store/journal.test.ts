import { expect, test } from 'vitest';
import { Database } from '../../../server/store/database.ts';
import { Store } from '../../../server/store/store.ts';

/** A store in memory with one session, and its database. */
function opened() {
  const database = new Database(':memory:');
  const store = new Store(database);
  const { learner } = store.learners.create();
  const session = store.session(learner, 'lab');
  return {
    database,
    store,
    learner,
    session,
    journal: session.journal,
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

const ROUTE = { kind: 'route', host: 'client', change: 'x' } as const;
const ANSWER = { kind: 'answer', check: 'port', text: '1' } as const;
const PASS = { check: 'port', at: 7, about: 'past', assisted: false } as const;

test('signals and passes share one order', () => {
  using at = opened();
  at.journal.add(ROUTE);
  at.journal.pass(PASS);
  at.journal.add(ANSWER);
  expect(at.journal.all('route')).toMatchObject([{ ...ROUTE, seq: 1 }]);
  expect(at.journal.all('pass')).toEqual([
    { kind: 'pass', check: 'port', about: 'past', seq: 2, at: 7 },
  ]);
  expect(at.journal.last('answer')).toMatchObject({ seq: 3 });
});

test('a pass is one row, written once, and a second one changes nothing', () => {
  using at = opened();
  at.journal.pass(PASS);
  at.journal.pass({ ...PASS, at: 9, assisted: 'step' });
  expect(at.database.all('SELECT check_id, at, about, seq, assisted FROM passes')).toEqual([
    { check_id: 'port', at: 7, about: 'past', seq: 1, assisted: 0 },
  ]);
  expect(at.database.all('SELECT * FROM signals')).toEqual([]);
  expect([...at.journal.passes]).toEqual([['port', { at: 7, about: 'past', assisted: false }]]);
  expect(at.journal.all('pass')).toHaveLength(1);
});

test('a pass of earlier hosts is earned again on these: when and by whom it was first stays', async () => {
  using at = opened();
  at.journal.pass({ ...PASS, assisted: 'step' });
  await at.session.begin({ sandbox: 'box', at: 1 });
  const { journal } = at.session;
  journal.add(ROUTE);
  const earned = { at: 7, assisted: 'step', about: 'state' } as const;
  expect(journal.pass({ ...PASS, at: 9, about: 'state' })).toEqual(earned);
  expect(journal.pass({ ...PASS, at: 11 })).toEqual(earned);
  const again = new Store(at.database).session(at.learner, 'lab').journal;
  for (const each of [journal, again]) {
    expect([...each.passes]).toEqual([['port', earned]]);
    expect(each.all('pass')).toEqual([
      { kind: 'pass', check: 'port', about: 'state', seq: 2, at: 7 },
    ]);
  }
});

test('signals of a kind are the same list until there is another, and a list once given stays', () => {
  using at = opened();
  at.journal.add(ANSWER);
  const one = at.journal.all('answer');
  at.journal.add(ROUTE);
  expect(at.journal.all('answer')).toBe(one);
  at.journal.add(ANSWER);
  expect([one.length, at.journal.all('answer').length]).toEqual([1, 2]);
});

test('a signal is looked for among those of its kind alone', () => {
  using at = opened();
  for (let index = 0; index < 3_600; index++) at.journal.add(ROUTE);
  at.journal.add(ANSWER);
  let looks = 0;
  const fits = () => {
    looks += 1;
    return false;
  };
  expect(at.journal.last('answer', fits)).toBeUndefined();
  expect(looks).toBe(1);
});

test('a runaway loop in a host fills neither disk nor memory: the oldest signals go, passes stay', () => {
  using at = opened();
  at.journal.pass(PASS);
  for (let index = 2; index <= 6_000; index++) at.journal.add({ ...ROUTE, change: String(index) });
  expect(at.journal.all('route').length).toBeLessThanOrEqual(5_500);
  expect(at.database.all('SELECT * FROM signals').length).toBe(at.journal.all('route').length);
  expect(at.journal.last('route')).toMatchObject({ seq: 6_000, change: '6000' });
  expect(at.journal.all('pass')).toHaveLength(1);
});

test('that something has happened on the present hosts is known whatever was dropped since, and until they are gone', async () => {
  using at = opened();
  expect(at.journal.isEmpty).toBe(true);
  at.journal.add({ kind: 'host', host: 'client', change: 'engine-up' });
  for (let index = 0; index < 6_000; index++) at.journal.add(ROUTE);
  expect(at.journal.all('host')).toEqual([]);
  const again = new Store(at.database).session(at.learner, 'lab').journal;
  expect([at.journal.isEmpty, again.isEmpty]).toEqual([false, false]);
  at.journal.pass(PASS);
  await at.session.begin({ sandbox: 'box', at: 1 });
  expect(at.session.journal.isEmpty).toBe(true);
});

test('a journal that is read again goes on where it was', () => {
  using at = opened();
  at.journal.add(ROUTE);
  at.journal.pass(PASS);
  // A store that takes up the same rows; the first one closes them.
  const journal = new Store(at.database).session(at.learner, 'lab').journal;
  expect(journal.size).toBe(2);
  journal.add(ROUTE);
  expect(journal.last('route')).toMatchObject({ seq: 3 });
});
