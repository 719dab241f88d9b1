import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Store } from '../../../server/store/store.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';

/** Where a store keeps what it keeps, seen past the store. */
export interface Backing extends Disposable {
  /** A store there, closed with it. What it could not keep is noted. */
  readonly store: Store;
  readonly lost: readonly unknown[];
  /** All rows there. */
  rows(table: string): readonly Record<string, unknown>[];
  tables(): readonly string[];
  /** Nobody can write until it is disposed. */
  lock(): Disposable;
}

/** What a store can stand on: each test runs on both. */
export const BACKINGS: readonly (readonly [string, () => Backing])[] = [
  ['in memory', inMemory],
  ['in a file', inFile],
];

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'";

function inMemory(): Backing {
  const database = new FaultyDatabase();
  const lost: unknown[] = [];
  const store = new Store(database, (_, error) => lost.push(error));
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

function inFile(): Backing {
  const directory = mkdtempSync(join(tmpdir(), 'quayside-store-'));
  const path = join(directory, 'deep', 'quayside.sqlite');
  const lost: unknown[] = [];
  const store = new Store(path, (_, error) => lost.push(error));
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
