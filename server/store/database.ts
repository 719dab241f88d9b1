import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { QuaysideError } from '../base/errors.ts';
import { MIGRATIONS } from './migrations.ts';

/** How long opening the file waits for another process's lock (ms). Nobody is served yet, so it may wait in SQLite. */
const OPENING_MS = 5_000;

/** SQLite's result codes, of which the low byte counts (sqlite3.h). */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/** Why nothing can be written now: another process holds the lock, or the disk takes nothing. Both can pass. */
export type Obstacle = 'lock' | 'disk';

/** The obstacle that an error speaks of; `undefined` where writing the same again would fail again. */
export function obstacleOf(error: unknown): Obstacle | undefined {
  const { errcode = 0 } = error as { readonly errcode?: number };
  switch (errcode & 0xff) {
    case SQLITE_BUSY:
      return 'lock';
    // A disk that failed is mounted read-only, and a full one has no room for the log's own files.
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return 'disk';
    default:
      return undefined;
  }
}

/** `undefined` is NULL. */
export type Value = string | number | undefined;
/** A statement: a text, or a tagged template whose values are bound. */
export type Sql = string | readonly string[];

export function textOf(sql: Sql): string {
  return typeof sql === 'string' ? sql : sql.join('?');
}

/** One SQLite file, brought to the newest layout. Each statement is prepared once. Errors are SQLite's own. */
export class Database implements Disposable {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #prepared = new Map<string, StatementSync>();

  /**
   * @param path the file, or `:memory:`
   * @throws QuaysideError DISK_FULL; SQLite's error where another process holds the lock for longer than a moment
   */
  constructor(path: string) {
    this.#path = path;
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#db = new DatabaseSync(path, { timeout: OPENING_MS });
    try {
      this.#db.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;',
      );
      this.#migrate();
      this.waitForLock(0);
    } catch (error) {
      this.#db.close();
      throw obstacleOf(error) === 'disk' ? this.diskFull(error) : error;
    }
  }

  /**
   * How long a write waits in SQLite for another process's lock (ms). Meanwhile the event loop stands still, so it is 0
   * while anybody is served. In WAL mode a read waits for nobody.
   */
  waitForLock(milliseconds: number): void {
    this.#db.exec(`PRAGMA busy_timeout = ${milliseconds}`);
  }

  /** @returns how many rows it touched */
  run(sql: Sql, ...values: Value[]): number {
    const given = values.map((value) => value ?? null);
    return Number(this.#statement(sql).run(...given).changes);
  }

  all<T>(sql: Sql, ...values: (string | number)[]): readonly T[] {
    const rows: Record<string, unknown>[] = this.#statement(sql).all(...values);
    for (const row of rows) for (const column in row) row[column] ??= undefined;
    return rows as T[];
  }

  /** Writes all of it or nothing. */
  transaction(work: () => void): void {
    this.run('BEGIN IMMEDIATE');
    try {
      work();
      this.run('COMMIT');
    } catch (error) {
      // SQLite has taken it back by itself where the disk is full.
      if (this.#db.isTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  /** For people, where the disk takes nothing. */
  diskFull(cause: unknown): QuaysideError {
    const place = this.#path === ':memory:' ? this.#path : dirname(this.#path);
    return new QuaysideError(
      'DISK_FULL',
      `The disk under ${place} is full or cannot be written, so nothing can be kept.`,
      'Free some room on it. The server goes on by itself; nothing that was kept before is lost.',
      { cause },
    );
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #statement(sql: Sql): StatementSync {
    const text = textOf(sql);
    const statement = this.#prepared.get(text) ?? this.#db.prepare(text);
    this.#prepared.set(text, statement);
    return statement;
  }

  #version(): number {
    const [row] = this.all<{ user_version: number }>('PRAGMA user_version');
    const version = row?.user_version ?? 0;
    if (version > MIGRATIONS.length) {
      throw new Error('The data was written by a newer Quayside; update this one.');
    }
    return version;
  }

  #migrate(): void {
    if (this.#version() === MIGRATIONS.length) return;
    this.transaction(() => {
      // Read once more, within the lock: a second server may have taken the same steps.
      for (const migration of MIGRATIONS.slice(this.#version())) this.#db.exec(migration);
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }
}
