import { randomBytes } from 'node:crypto';
import type { FailureLog } from '../base/background.ts';
import { Database, type Obstacle } from './database.ts';
import { LearnerRecords } from './learner-records.ts';
import { NOT_BEGUN, type SessionRow, StoredSession, type TerminalRow } from './stored-session.ts';
import { WriteBehind } from './write-behind.ts';

/**
 * What outlives the server: learners, sessions, their journal, passes and terminals, in one SQLite file that this
 * process alone writes. All but the journals is in memory, so reading waits for nothing and sees what was said last.
 *
 * What records something that happened never throws and never waits: it is in memory at once and written as soon as
 * that can be. What returns a promise must be on disk first: a sandbox's row is written before the sandbox is made, so
 * that after a crash either the row or the sandbox's label finds it.
 */
export class Store implements Disposable {
  /** This server's own name among all that may share an engine; made once. */
  readonly instance: string;
  /** Learners, and the classes that they have joined. */
  readonly learners: LearnerRecords;
  readonly #database: Database;
  readonly #late: WriteBehind;
  /** By learner and lab, in the order in which they were made. */
  readonly #sessions = new Map<string, StoredSession>();

  /**
   * @param database where it is kept: a file's path, `:memory:`, or one that is open and closed with this store
   * @param onError told of a record that could not be kept
   */
  constructor(database: string | Database, onError: FailureLog = () => undefined) {
    const db = typeof database === 'string' ? new Database(database) : database;
    this.#database = db;
    this.#late = new WriteBehind(db, onError);
    this.learners = new LearnerRecords(db, this.#late);
    const [meta] = db.all<{ value: string }>("SELECT value FROM meta WHERE key = 'instance'");
    if (!meta) throw new Error('the store has no name of its own');
    this.instance = meta.value;
    const terminals = Map.groupBy(
      db.all<TerminalRow & { readonly session: string }>(
        'SELECT id, session, host, title FROM terminals ORDER BY place, id',
      ),
      ({ session }) => session,
    );
    const sessions = db.all<SessionRow>(
      `SELECT id, learner, lab, sandbox, queued_at AS queuedAt, started_at AS startedAt,
         extended_ms AS extendedMs, ended, version, stopped_at AS stoppedAt,
         stopped_because AS stoppedBecause
       FROM sessions ORDER BY rowid`,
    );
    for (const row of sessions) this.#keep(row, terminals.get(row.id));
  }

  [Symbol.dispose](): void {
    this.#late[Symbol.dispose]();
    this.#database[Symbol.dispose]();
  }

  /** How many records wait in memory; 0 while all is well. */
  get unwritten(): number {
    return this.#late.size;
  }

  /** What they wait for: another process that holds the file's lock, or room on the disk. */
  get obstacle(): Obstacle | undefined {
    return this.#late.obstacle;
  }

  /**
   * What has become of the learners of a server without a class, of whom an earlier layout made one for each browser;
   * `undefined` where nothing has, or it was told before.
   */
  tellUnited(): { readonly browsers: number; readonly sandboxes: number } | undefined {
    const [row] = this.#database.all<{ value: string }>(
      "SELECT value FROM meta WHERE key = 'united'",
    );
    if (row) this.#late.act("DELETE FROM meta WHERE key = 'united'");
    return row && JSON.parse(row.value);
  }

  /** The learner's session of a lab; made on first use. */
  session(learner: string, lab: string): StoredSession {
    const known = this.#sessions.get(`${learner}/${lab}`);
    if (known) return known;
    const id = randomBytes(6).toString('hex');
    this.#late.act`
      INSERT INTO sessions (id, learner, lab, created_at)
      VALUES (${id}, ${learner}, ${lab}, ${Date.now()})`;
    return this.#keep({ id, learner, lab, ...NOT_BEGUN });
  }

  /** Sessions that have a sandbox, to be adopted when the server starts. */
  sessionsWithSandbox(): readonly StoredSession[] {
    return [...this.#sessions.values()].filter(({ row }) => row.sandbox !== undefined);
  }

  /** Sessions whose sandbox is stopped and kept, the one that was stopped first in front. */
  stoppedSessions(): readonly StoredSession[] {
    return this.sessionsWithSandbox()
      .filter(({ row }) => row.stoppedAt !== undefined)
      .sort((a, b) => (a.row.stoppedAt ?? 0) - (b.row.stoppedAt ?? 0));
  }

  /** Sessions that wait for room, first come first. */
  sessionsInQueue(): readonly StoredSession[] {
    return [...this.#sessions.values()]
      .filter(({ row }) => row.queuedAt !== undefined)
      .sort((a, b) => (a.row.queuedAt ?? 0) - (b.row.queuedAt ?? 0));
  }

  /** Forgets a learner and all that is kept of them. */
  removeLearner(learner: string): void {
    this.learners.forget(learner);
    for (const [key, session] of this.#sessions) {
      if (session.row.learner !== learner) continue;
      session.forget();
      this.#sessions.delete(key);
    }
    const database = this.#database;
    this.#late.acts(() => {
      for (const table of ['signals', 'passes', 'terminals']) {
        database.run(
          `DELETE FROM ${table} WHERE session IN (SELECT id FROM sessions WHERE learner = ?)`,
          learner,
        );
      }
      database.run`DELETE FROM sessions WHERE learner = ${learner}`;
      database.run`DELETE FROM members WHERE learner = ${learner}`;
      database.run`DELETE FROM meta WHERE key = 'person' AND value = ${learner}`;
      database.run`DELETE FROM learners WHERE id = ${learner}`;
    });
  }

  #keep(row: SessionRow, terminals: readonly TerminalRow[] = []): StoredSession {
    const plain = terminals.map(({ id, host, title }) => ({ id, host, title }));
    const session = new StoredSession(this.#database, this.#late, row, plain);
    this.#sessions.set(`${row.learner}/${row.lab}`, session);
    return session;
  }
}
