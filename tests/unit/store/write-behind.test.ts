import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WriteBehind } from '../../../server/store/write-behind.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A queue in front of a table of its own. */
class Stage implements Disposable {
  readonly database = new FaultyDatabase();
  readonly lost: string[] = [];
  readonly late = new WriteBehind(this.database, (message) => this.lost.push(message));
  /** Transactions that were begun. */
  begun = 0;

  constructor() {
    this.database.run('CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT');
    const transaction = this.database.transaction.bind(this.database);
    this.database.transaction = (work) => {
      this.begun += 1;
      transaction(work);
    };
  }

  /** What is written, in its order. */
  get notes(): readonly string[] {
    return this.database
      .all<{ text: string }>('SELECT text FROM notes ORDER BY rowid')
      .map(({ text }) => text);
  }

  act(text: string): void {
    this.late.act`INSERT INTO notes (text) VALUES (${text})`;
  }

  signal(text: string): void {
    this.late.journal`INSERT INTO notes (text) VALUES (${text})`;
  }

  commit(text: string, signal?: AbortSignal): Promise<void> {
    const write = () => void this.database.run`INSERT INTO notes (text) VALUES (${text})`;
    return this.late.commit(write, () => undefined, signal);
  }

  [Symbol.dispose](): void {
    this.database.obstacle = undefined;
    this.late[Symbol.dispose]();
    this.database[Symbol.dispose]();
  }
}

/** As long as no test has to wait for anything. */
const soon = () => vi.advanceTimersByTimeAsync(2_000);

describe('what happened', () => {
  test('is written at once, each by one statement in one transaction', () => {
    using stage = new Stage();
    stage.act('a');
    stage.signal('b');
    expect([stage.notes, stage.begun, stage.late.size]).toEqual([['a', 'b'], 2, 0]);
  });

  test.each(['lock', 'disk'] as const)(
    'waits in its order for what is in the way: %s',
    async (obstacle) => {
      using stage = new Stage();
      stage.database.obstacle = obstacle;
      for (const text of ['a', 'b', 'c']) stage.act(text);
      await soon();
      expect([stage.notes, stage.late.size, stage.late.obstacle]).toEqual([[], 3, obstacle]);
      stage.database.obstacle = undefined;
      await soon();
      expect([stage.notes, stage.late.size, stage.late.obstacle]).toEqual([
        ['a', 'b', 'c'],
        0,
        undefined,
      ]);
    },
  );

  test('is not tried for each record while another process holds the lock', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'lock';
    for (let index = 0; index < 1_000; index++) stage.act(`note ${index}`);
    expect(stage.begun).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    // Twenty times in a second, however much waits.
    expect(stage.begun).toBe(21);
  });

  test('is written a part at a turn of the event loop after a long wait', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'lock';
    for (let index = 0; index < 1_000; index++) stage.act(`note ${index}`);
    stage.database.obstacle = undefined;
    const waiting: number[] = [];
    while (stage.late.size > 0) {
      await vi.advanceTimersToNextTimerAsync();
      waiting.push(stage.late.size);
    }
    expect(waiting).toEqual([800, 600, 400, 200, 0]);
  });

  test('is lost alone where it cannot be written, and the others go on', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'lock';
    for (const text of ['a', 'a', 'b', 'c', 'b', 'd']) stage.act(text);
    stage.late.acts(() => {
      stage.database.run("INSERT INTO notes (text) VALUES ('half')");
      throw new Error('a record of nonsense');
    });
    stage.act('e');
    stage.database.obstacle = undefined;
    await soon();
    expect(stage.notes).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(stage.lost).toEqual(Array(3).fill('a record could not be kept'));
    expect(stage.late.size).toBe(0);
  });

  test('of hosts is bounded while it waits: the oldest goes, and nothing that a person did', async () => {
    using stage = new Stage();
    stage.act('a pass');
    stage.database.obstacle = 'disk';
    stage.act('another');
    for (let index = 0; index < 25_000; index++) stage.signal(`signal ${index}`);
    stage.act('a third');
    expect(stage.late.size).toBeLessThanOrEqual(20_002);
    stage.database.obstacle = undefined;
    await soon();
    expect(stage.late.size).toBe(0);
    const { notes } = stage;
    expect([notes[0], notes[1], notes.at(-2), notes.at(-1)]).toEqual([
      'a pass',
      'another',
      'signal 24999',
      'a third',
    ]);
    expect(stage.lost).toContain('1000 signals could not be kept');
  });

  test('is only told of once it is closed', () => {
    const stage = new Stage();
    stage[Symbol.dispose]();
    stage.act('late');
    expect(stage.lost).toEqual(['a record could not be kept']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that could not be written to the end is told of', () => {
    using stage = new Stage();
    stage.database.obstacle = 'disk';
    stage.act('a');
    stage.late[Symbol.dispose]();
    expect(stage.lost).toContain('1 records could not be kept');
  });
});

describe('what must be on disk first', () => {
  test('is there in the same turn where nothing is in the way', () => {
    using stage = new Stage();
    stage.act('a');
    void stage.commit('b');
    expect(stage.notes).toEqual(['a', 'b']);
  });

  test('comes after all that waits', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'lock';
    for (let index = 0; index < 500; index++) stage.act(`note ${index}`);
    const commit = stage.commit('commit');
    stage.act('said meanwhile');
    stage.database.obstacle = undefined;
    await soon();
    await commit;
    expect(stage.notes.slice(-2)).toEqual(['said meanwhile', 'commit']);
    expect(stage.notes).toHaveLength(502);
  });

  test('is refused where the disk is full, now or while it waits', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'lock';
    const waits = stage.commit('waits');
    stage.database.obstacle = 'disk';
    const comes = stage.commit('comes');
    await expect(waits).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(comes).rejects.toMatchObject({ code: 'DISK_FULL' });
    stage.database.obstacle = undefined;
    await soon();
    expect(stage.notes).toEqual([]);
  });

  test('is tried at once where room was made since', async () => {
    using stage = new Stage();
    stage.database.obstacle = 'disk';
    stage.act('a');
    stage.database.obstacle = undefined;
    await stage.commit('b');
    expect(stage.notes).toEqual(['a', 'b']);
  });

  test('fails alone at what it fails at', async () => {
    using stage = new Stage();
    stage.act('a');
    stage.database.obstacle = 'lock';
    const [bad, good] = [stage.commit('a'), stage.commit('b')];
    const refused = expect(bad).rejects.toThrow(/UNIQUE/);
    stage.database.obstacle = undefined;
    await soon();
    await Promise.all([refused, good]);
    expect(stage.notes).toEqual(['a', 'b']);
  });

  test('is taken back by its signal, before and while it waits', async () => {
    using stage = new Stage();
    await expect(stage.commit('a', AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    stage.database.obstacle = 'lock';
    const ending = new AbortController();
    const waits = stage.commit('b', ending.signal);
    ending.abort(new Error('ended'));
    await expect(waits).rejects.toThrow('ended');
    stage.database.obstacle = undefined;
    await soon();
    expect(stage.notes).toEqual([]);
  });

  test('is refused where the store is closed meanwhile', async () => {
    const stage = new Stage();
    stage.database.obstacle = 'lock';
    const refused = expect(stage.commit('a')).rejects.toThrow(/closed/);
    stage.late[Symbol.dispose]();
    await refused;
    stage.database[Symbol.dispose]();
  });
});
