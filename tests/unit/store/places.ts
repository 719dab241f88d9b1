import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Store } from '../../../server/store/store.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';

/** Where a store keeps what it keeps, seen past the store. */
export interface Place extends Disposable {
  /** A store there, closed with the place. What it could not keep is noted. */
  readonly store: Store;
  readonly lost: readonly unknown[];
  /** All rows there. */
  rows(table: string): readonly Record<string, unknown>[];
  tables(): readonly string[];
  /** Nobody can write until it is disposed. */
  lock(): Disposable;
}

/** The places that a store can be in: each test runs in both. */
export const PLACES: readonly (readonly [string, () => Place])[] = [
  ['in memory', inMemory],
  ['in a file', inFile],
];

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'";

function inMemory(): Place {
  const database = new FaultyDatabase();
  const lost: unknown[] = [];
  const store = new Store(database, { onError: (_, error) => lost.push(error) });
  return {
    store,
    lost,
    rows: (table) =>
      database
        .all<Record<string, unknown>>(`SELECT * FROM ${table}`)
        .map((row) =>
          Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? null])),
        ),
    tables: () => database.all<{ name: string }>(TABLES).map(({ name }) => name),
    lock: () => {
      database.obstacle = 'lock';
      const release = () => {
        database.obstacle = undefined;
      };
      return { [Symbol.dispose]: release };
    },
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

function inFile(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'quayside-store-'));
  const path = join(directory, 'deep', 'quayside.sqlite');
  const lost: unknown[] = [];
  const store = new Store(path, { onError: (_, error) => lost.push(error) });
  const other = new DatabaseSync(path);
  return {
    store,
    lost,
    rows: (table) => other.prepare(`SELECT * FROM ${table}`).all(),
    tables: () =>
      other
        .prepare(TABLES)
        .all()
        .map(({ name }) => String(name)),
    lock: () => {
      other.exec('BEGIN IMMEDIATE');
      return { [Symbol.dispose]: () => other.exec('ROLLBACK') };
    },
    [Symbol.dispose]: () => {
      store[Symbol.dispose]();
      other.close();
      rmSync(directory, { recursive: true });
    },
  };
}
