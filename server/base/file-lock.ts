import { DatabaseSync } from 'node:sqlite';

/** SQLite's code for a lock that another holds. */
const SQLITE_BUSY = 5;

/** What holds the lock: a transaction. One that writes would open a journal beside the file, if it were to have one. */
const BEGIN = {
  exclusive: 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE',
  // A transaction locks the file at its first read.
  shared: 'BEGIN; SELECT count(*) FROM sqlite_schema',
} as const;

/**
 * A lock on a file of its own: exclusive, or shared by any number of holders. It ends with the process that holds it,
 * also where that is killed. Node has no flock(2). SQLite locks its files with fcntl(2), on local disks, tmpfs and NFS alike,
 * so an empty database that nothing is ever written to is the lock.
 */
export class FileLock implements Disposable {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Takes the lock, unless another holds it.
   *
   * @param path the lock's file, made where it is missing
   * @param waitMs how long to wait for a holder that is just letting go; the event loop is blocked meanwhile. With 0,
   *   two that take an exclusive lock at the same instant can both fail.
   * @throws Error where the file cannot be opened or locked at all
   */
  static take(path: string, kind: keyof typeof BEGIN, waitMs = 0): FileLock | undefined {
    const db = new DatabaseSync(path, { timeout: waitMs });
    try {
      db.exec(BEGIN[kind]);
      return new FileLock(db);
    } catch (error) {
      db.close();
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
      throw error;
    }
  }

  get isHeld(): boolean {
    return this.#db.isOpen;
  }

  [Symbol.dispose](): void {
    if (this.isHeld) this.#db.close();
  }
}
