import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { MIGRATIONS } from './migrations.ts';
import { asDiskFull } from './write-behind.ts';

/** A wait for a lock held by another process (a second server on the same file) before SQLite gives up. */
const BUSY_MS = 5_000;

type Value = string | number | null;

/** The rows of one SQLite file, brought to the newest layout. Each statement is prepared once. */
export class Database implements Disposable {
  readonly #db: DatabaseSync;
  /** What is named where the disk is full. */
  readonly #place: string;
  readonly #prepared = new Map<string, StatementSync>();

  /** @param path the file, or `:memory:` */
  constructor(path: string) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#place = path === ':memory:' ? path : dirname(path);
    this.#db = new DatabaseSync(path, { timeout: BUSY_MS });
    this.#db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;',
    );
    this.#migrate();
  }

  /** @returns how many rows it touched @throws QuaysideError DISK_FULL */
  run(sql: string, ...values: Value[]): number {
    try {
      return Number(this.#statement(sql).run(...values).changes);
    } catch (error) {
      throw asDiskFull(error, this.#place);
    }
  }

  one<T>(sql: string, ...values: Value[]): T | undefined {
    return this.#statement(sql).get(...values) as T | undefined;
  }

  all<T>(sql: string, ...values: Value[]): readonly T[] {
    return this.#statement(sql).all(...values) as T[];
  }

  /** All of it or nothing. @throws QuaysideError DISK_FULL */
  transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      // SQLite has taken it back by itself where the disk is full.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw asDiskFull(error, this.#place);
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #migrate(): void {
    const { user_version: taken } = this.one<{ user_version: number }>('PRAGMA user_version') ?? {
      user_version: 0,
    };
    if (taken > MIGRATIONS.length) {
      throw new Error('The data was written by a newer Quayside; update this one.');
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < taken) continue;
      this.#db.exec(`BEGIN; ${migration} PRAGMA user_version = ${index + 1}; COMMIT;`);
    }
  }
}
