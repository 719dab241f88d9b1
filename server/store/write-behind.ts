import { addAbortListener } from 'node:events';
import type { FailureLog } from '../base/background.ts';
import { type Database, type Obstacle, obstacleOf } from './database.ts';

/** How soon it is tried again whether the other process is done (ms). A try costs 10 µs; nobody notices the wait. */
const LOCK_RETRY_MS = 50;
/** How soon it is tried again whether the disk has room (ms). */
const DISK_RETRY_MS = 1_000;
/** Records of one transaction: 200 take 1 ms, so a long queue does not hold up the event loop. */
const BATCH = 200;
/** A session that floods its journal while nothing can be written must not fill the memory: the oldest signals are lost. */
const JOURNAL_MOST = 20_000;
const DROPPED_AT_ONCE = 1_000;
/** What waits still when the server stops gets this long for another process's lock (ms). */
const CLOSING_MS = 5_000;

interface LateRecord {
  /**
   * Of what happened on hosts (`journal`) there is no end. Of what a person did or earned (`act`) there is little, and
   * nothing may be lost.
   */
  readonly kind: 'journal' | 'act';
  readonly write: () => unknown;
}

/** A change that must be on disk before something else is done. */
interface Commit extends PromiseWithResolvers<void> {
  readonly write: () => void;
  readonly written: () => void;
}

/**
 * The one way into the database. Records of what happened are written at once, or kept in memory in their order and
 * written as soon as that can be; nobody waits for them. A commit is written after all of them, or refused.
 */
export class WriteBehind implements Disposable {
  readonly #database: Database;
  readonly #onError: FailureLog;
  #records: LateRecord[] = [];
  #signals = 0;
  #commits: Commit[] = [];
  #obstacle: Obstacle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;

  constructor(database: Database, onError: FailureLog) {
    this.#database = database;
    this.#onError = onError;
  }

  get size(): number {
    return this.#records.length;
  }

  /** What they wait for; `undefined` while all is well. */
  get obstacle(): Obstacle | undefined {
    return this.#obstacle;
  }

  /** Writes what a person did or earned, now if that can be, else later. Never throws. */
  act(...statement: Parameters<Database['run']>): void {
    this.#write({ kind: 'act', write: () => this.#database.run(...statement) });
  }

  /** The same for several statements: all of them are written, or none. */
  acts(write: () => void): void {
    this.#write({ kind: 'act', write });
  }

  /** The same for what happened on hosts. Where too much of it waits, the oldest is lost. */
  journal(...statement: Parameters<Database['run']>): void {
    this.#write({ kind: 'journal', write: () => this.#database.run(...statement) });
    this.#signals += 1;
    if (this.#signals > JOURNAL_MOST) this.#dropOldest();
  }

  /**
   * Settles when a change is on disk. It waits while another process holds the lock.
   *
   * @param write its statements, which go into one transaction
   * @param written called in the same turn of the event loop in which it is on disk
   * @throws QuaysideError DISK_FULL, the signal's reason, or what else the change failed at; nothing is changed then
   */
  async commit(write: () => void, written: () => void, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const commit = { write, written, ...Promise.withResolvers<void>() };
    using _ =
      signal &&
      addAbortListener(signal, () => {
        this.#commits = this.#commits.filter((each) => each !== commit);
        commit.reject(signal.reason);
      });
    this.#commits.push(commit);
    this.#flush();
    await commit.promise;
  }

  [Symbol.dispose](): void {
    if (this.#records.length > 0) this.#database.waitForLock(CLOSING_MS);
    do this.#flush();
    while (this.#next);
    this.#pause();
    for (const { reject } of this.#commits.splice(0)) reject(new Error('The store is closed.'));
    if (this.#records.length > 0) {
      this.#onError(`${this.#records.length} records could not be kept`, this.#obstacle);
    }
  }

  #write(record: LateRecord): void {
    this.#records.push(record);
    if (!this.#timer && !this.#next) this.#flush();
  }

  /** Writes what it can. Never throws: it is called by timers. */
  #flush(): void {
    this.#pause();
    try {
      if (this.#records.length > 0) this.#writeOldest(BATCH);
      if (this.#records.length > 0) this.#next = setImmediate(() => this.#flush());
      else this.#writeCommits();
      this.#obstacle = undefined;
    } catch (error) {
      this.#waitFor(obstacleOf(error) ?? 'disk', error);
    }
  }

  #pause(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#next);
    this.#timer = undefined;
    this.#next = undefined;
  }

  #waitFor(obstacle: Obstacle, error: unknown): void {
    if (obstacle === 'disk' && this.#obstacle !== 'disk') {
      this.#onError('nothing can be kept now; what happens waits in memory', error);
    }
    this.#obstacle = obstacle;
    if (obstacle === 'disk') {
      const full = this.#database.diskFull(error);
      for (const { reject } of this.#commits.splice(0)) reject(full);
    }
    const milliseconds = obstacle === 'disk' ? DISK_RETRY_MS : LOCK_RETRY_MS;
    this.#timer = setTimeout(() => this.#flush(), milliseconds);
    this.#timer.unref();
  }

  /**
   * So many of the oldest records in one transaction. Where one of them cannot be written, each gets its own.
   *
   * @throws only what an obstacle made of it
   */
  #writeOldest(most: number): void {
    const batch = this.#records.slice(0, most);
    try {
      this.#database.transaction(() => {
        for (const { write } of batch) write();
      });
    } catch (error) {
      if (obstacleOf(error)) throw error;
      if (batch.length > 1) {
        for (const _ of batch) this.#writeOldest(1);
        return;
      }
      this.#onError('a record could not be kept', error);
    }
    this.#records.splice(0, batch.length);
    this.#signals -= batch.filter(({ kind }) => kind === 'journal').length;
  }

  /** @throws only what an obstacle made of it */
  #writeCommits(): void {
    for (let [commit] = this.#commits; commit; [commit] = this.#commits) {
      try {
        this.#database.transaction(commit.write);
        commit.written();
        commit.resolve();
      } catch (error) {
        if (obstacleOf(error)) throw error;
        commit.reject(error);
      }
      this.#commits.shift();
    }
  }

  #dropOldest(): void {
    let left = DROPPED_AT_ONCE;
    this.#records = this.#records.filter(({ kind }) => {
      if (kind !== 'journal' || left === 0) return true;
      left -= 1;
      return false;
    });
    this.#signals -= DROPPED_AT_ONCE;
    this.#onError(`${DROPPED_AT_ONCE} signals could not be kept`, this.#obstacle);
  }
}
