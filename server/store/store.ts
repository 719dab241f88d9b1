import { randomBytes } from 'node:crypto';
import type { FailureLog } from '../base/background.ts';
import { newToken, tokenHash } from '../base/tokens.ts';
import { Classes, type MemberRow } from './classes.ts';
import { Database, type Obstacle } from './database.ts';
import { Journal } from './journal.ts';
import { WriteBehind } from './write-behind.ts';

/** A session as it is kept. `sandbox` is absent while it has none. */
export interface SessionRow {
  readonly id: string;
  readonly learner: string;
  readonly lab: string;
  readonly sandbox: string | undefined;
  /** When it joined the queue, if it waits there (ms since the epoch). */
  readonly queuedAt: number | undefined;
  /** When its sandbox was first wanted. */
  readonly startedAt: number | undefined;
  /** What the learner has added to its whole time (ms). */
  readonly extendedMs: number;
  /** Why it ended, if it did. */
  readonly ended: string | undefined;
}

/** A terminal as it is kept: a server that comes back finds its shell by it. */
export interface TerminalRow {
  readonly id: string;
  readonly host: string;
  readonly title: string;
}

/** A sandbox that is about to be made. */
export interface NewSandbox {
  readonly sandbox: string;
  /** When it was wanted (ms since the epoch). */
  readonly at: number;
}

/** What is kept of one session in memory. */
interface StoredSession {
  row: SessionRow;
  readonly terminals: Map<string, TerminalRow>;
  /** Weak: whoever follows the session holds it, and it can be read again. What is not written yet holds it as well. */
  journal: WeakRef<Journal> | undefined;
}

export interface StoreOptions {
  /** Told of a record that could not be kept. */
  readonly onError?: FailureLog;
}

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
  /** Classes and who is in them. */
  readonly classes: Classes;
  readonly #database: Database;
  readonly #late: WriteBehind;
  /** Learners by the hash of their secret. */
  readonly #learners: Map<string, string>;
  /** Sessions by their id, which may change. */
  readonly #sessions = new Map<string, StoredSession>();
  /** The same by learner and lab, in the order in which they were made. */
  readonly #byOwner = new Map<string, StoredSession>();

  /** @param database where it is kept: a file's path, `:memory:`, or one that is open and closed with this store */
  constructor(database: string | Database, { onError = () => undefined }: StoreOptions = {}) {
    this.#database = typeof database === 'string' ? new Database(database) : database;
    this.#late = new WriteBehind(this.#database, onError);
    this.classes = new Classes(this.#database, this.#late);
    this.instance = instanceOf(this.#database);
    this.#learners = learnersOf(this.#database);
    for (const row of sessionsOf(this.#database)) this.#keep(row);
    for (const { session, ...row } of terminalsOf(this.#database)) {
      this.#sessions.get(session)?.terminals.set(row.id, row);
    }
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

  /** A new learner; the secret goes into their cookie, and only its hash is kept. */
  createLearner(): { readonly learner: string; readonly secret: string } {
    const learner = randomBytes(8).toString('hex');
    const secret = newToken();
    const hash = tokenHash(secret);
    this.#learners.set(hash, learner);
    this.#late.act(
      'INSERT INTO learners (id, secret_hash, created_at) VALUES (?, ?, ?)',
      learner,
      hash,
      Date.now(),
    );
    return { learner, secret };
  }

  /**
   * Whose secret it is, of those who came without a class. The look-up goes by hash, so its timing tells nothing about
   * the secret.
   */
  findLearner(secret: string): string | undefined {
    const learner = this.#learners.get(tokenHash(secret));
    return learner === undefined || this.classes.hasMember(learner) ? undefined : learner;
  }

  /** The member of that class whose secret it is. */
  findMember(className: string, secret: string): MemberRow | undefined {
    return this.classes.member(className, this.#learners.get(tokenHash(secret)) ?? '');
  }

  /** A new secret in place of the old one: whoever holds that is signed out. */
  renewSecret(learner: string): string {
    const secret = newToken();
    const hash = tokenHash(secret);
    this.#forgetSecret(learner);
    this.#learners.set(hash, learner);
    this.#late.act('UPDATE learners SET secret_hash = ? WHERE id = ?', hash, learner);
    return secret;
  }

  /** Forgets a learner and all that is kept of them. */
  removeLearner(learner: string): void {
    this.#forgetSecret(learner);
    this.classes.forget(learner);
    for (const [key, { row, journal }] of this.#byOwner) {
      if (row.learner !== learner) continue;
      journal?.deref()?.close();
      this.#byOwner.delete(key);
      this.#sessions.delete(row.id);
    }
    this.#late.acts(() => {
      for (const table of ['signals', 'passes', 'terminals']) {
        this.#database.run(
          `DELETE FROM ${table} WHERE session IN (SELECT id FROM sessions WHERE learner = ?)`,
          learner,
        );
      }
      this.#database.run('DELETE FROM sessions WHERE learner = ?', learner);
      this.#database.run('DELETE FROM members WHERE learner = ?', learner);
      this.#database.run('DELETE FROM learners WHERE id = ?', learner);
    });
  }

  /** The learner's session of a lab; made on first use. */
  session(learner: string, lab: string): SessionRow {
    const known = this.#byOwner.get(keyOf({ learner, lab }));
    if (known) return known.row;
    const id = randomBytes(6).toString('hex');
    this.#late.act(
      'INSERT INTO sessions (id, learner, lab, created_at) VALUES (?, ?, ?, ?)',
      id,
      learner,
      lab,
      Date.now(),
    );
    return this.#keep({ id, learner, lab, ...NEW_SESSION }).row;
  }

  /** Sessions that have a sandbox, to be adopted when the server starts. */
  sessionsWithSandbox(): readonly SessionRow[] {
    return this.#rows().filter(({ sandbox }) => sandbox !== undefined);
  }

  /** Sessions that wait for room, first come first. */
  sessionsInQueue(): readonly SessionRow[] {
    return this.#rows()
      .filter(({ queuedAt }) => queuedAt !== undefined)
      .sort((a, b) => (a.queuedAt ?? 0) - (b.queuedAt ?? 0));
  }

  /**
   * The session begins with a new sandbox: its time runs from then, it neither waits nor has ended, and what happened
   * on the hosts before is forgotten. Settles when that is on disk: only then the sandbox may be made.
   *
   * @throws QuaysideError DISK_FULL, or the signal's reason; nothing has changed then
   */
  beginSandbox(session: string, begun: NewSandbox, signal?: AbortSignal): Promise<void> {
    return this.takeSandbox(session, { id: session, ...begun }, signal);
  }

  /**
   * The session begins with a sandbox that was there before it, and takes over the session id on that sandbox's labels,
   * which cannot be changed any more. All that is kept of the session follows.
   *
   * @throws QuaysideError DISK_FULL, or the signal's reason; nothing has changed then, the id neither
   */
  takeSandbox(
    session: string,
    { id, sandbox, at }: NewSandbox & { readonly id: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const begun = { ...NEW_SESSION, id, sandbox, startedAt: at };
    return this.#leaveHosts(session, begun, () => undefined, signal);
  }

  /**
   * The session waits for other hosts in place of those that it has; what happened on these is forgotten, and so are
   * all passes, or those that were not the learner's own work.
   *
   * @throws QuaysideError DISK_FULL, or the signal's reason; nothing has changed then
   */
  startOver(
    session: string,
    { queuedAt, forget }: { readonly queuedAt: number; readonly forget: 'all' | 'assisted' },
    signal?: AbortSignal,
  ): Promise<void> {
    const least = forget === 'all' ? 0 : 1;
    const forgetPasses = () =>
      this.#database.run('DELETE FROM passes WHERE session = ? AND assisted >= ?', session, least);
    const queued = { sandbox: undefined, queuedAt, ended: undefined };
    return this.#leaveHosts(session, queued, forgetPasses, signal);
  }

  /** The session waits for room since `at`, or does not wait any more. */
  setQueued(session: string, at: number | undefined): void {
    this.#change(session, at === undefined ? { queuedAt: at } : { queuedAt: at, ended: undefined });
  }

  /** What the learner has added to the session's whole time (ms). */
  setExtended(session: string, milliseconds: number): void {
    this.#change(session, { extendedMs: milliseconds });
  }

  /** The session is over, and its sandbox and terminals with it. What happened and what was passed is kept. */
  setEnded(session: string, reason: string): void {
    this.#loseSandbox(session, { queuedAt: undefined, ended: reason });
  }

  /** The session's sandbox is no more, and its terminals neither. */
  sandboxGone(session: string): void {
    this.#loseSandbox(session);
  }

  /** What happened on the session's present hosts, and what was passed. The hosts that come after have another. */
  journal(session: string): Journal {
    const stored = this.#sessions.get(session);
    const known = stored?.journal?.deref();
    if (known) return known;
    const journal = new Journal(this.#database, this.#late, session);
    if (stored) stored.journal = new WeakRef(journal);
    // The learner was removed meanwhile.
    else journal.close();
    return journal;
  }

  /** In the order in which they were opened. */
  terminals(session: string): readonly TerminalRow[] {
    return [...(this.#sessions.get(session)?.terminals.values() ?? [])];
  }

  addTerminal(session: string, { id, host, title }: TerminalRow): void {
    const stored = this.#sessions.get(session);
    if (!stored) return;
    stored.terminals.set(id, { id, host, title });
    this.#late.act(
      `INSERT INTO terminals (id, session, host, title, place)
       VALUES (?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM terminals))`,
      id,
      session,
      host,
      title,
    );
  }

  removeTerminal(id: string): void {
    for (const { terminals } of this.#sessions.values()) terminals.delete(id);
    this.#late.act('DELETE FROM terminals WHERE id = ?', id);
  }

  #rows(): SessionRow[] {
    return [...this.#byOwner.values()].map(({ row }) => row);
  }

  #keep(row: SessionRow): StoredSession {
    const stored = { row, terminals: new Map(), journal: undefined };
    this.#sessions.set(row.id, stored);
    this.#byOwner.set(keyOf(row), stored);
    return stored;
  }

  #forgetSecret(learner: string): void {
    for (const [hash, owner] of this.#learners) if (owner === learner) this.#learners.delete(hash);
  }

  /** A session whose learner was removed meanwhile is not changed. @param also written in the same transaction */
  #change(session: string, change: Partial<SessionRow>, also: () => void = () => undefined): void {
    const stored = this.#sessions.get(session);
    if (!stored) return;
    const row = { ...stored.row, ...change };
    stored.row = row;
    this.#late.acts(() => {
      updateSession(this.#database, row);
      also();
    });
  }

  #loseSandbox(session: string, change: Partial<SessionRow> = {}): void {
    this.#sessions.get(session)?.terminals.clear();
    this.#change(session, { ...change, sandbox: undefined }, () =>
      this.#database.run('DELETE FROM terminals WHERE session = ?', session),
    );
  }

  /** The session's hosts are no more: one transaction for the row, and for all that spoke of them. */
  async #leaveHosts(
    session: string,
    change: Partial<SessionRow>,
    forgetPasses: () => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stored = this.#sessions.get(session);
    if (!stored) throw notKept(session);
    const database = this.#database;
    let row = stored.row;
    const write = () => {
      if (this.#sessions.get(session) !== stored) throw notKept(session);
      row = { ...stored.row, ...change };
      database.run('PRAGMA defer_foreign_keys = ON');
      database.run('DELETE FROM signals WHERE session = ?', session);
      database.run('DELETE FROM terminals WHERE session = ?', session);
      forgetPasses();
      database.run(
        'UPDATE passes SET session = ?, about = NULL, seq = NULL WHERE session = ?',
        row.id,
        session,
      );
      database.run('UPDATE sessions SET id = ? WHERE id = ?', row.id, session);
      updateSession(database, row);
    };
    const written = () => {
      stored.row = row;
      stored.terminals.clear();
      stored.journal?.deref()?.close();
      stored.journal = undefined;
      this.#sessions.delete(session);
      this.#sessions.set(row.id, stored);
    };
    await this.#late.commit({ write, written }, signal);
  }
}

/** A session that has not begun. */
const NEW_SESSION = {
  sandbox: undefined,
  queuedAt: undefined,
  startedAt: undefined,
  extendedMs: 0,
  ended: undefined,
} as const;

function keyOf({ learner, lab }: Pick<SessionRow, 'learner' | 'lab'>): string {
  return `${learner}/${lab}`;
}

function notKept(session: string): Error {
  return new Error(`the session ${session} is not kept`);
}

function instanceOf(database: Database): string {
  const [row] = database.all<{ value: string }>("SELECT value FROM meta WHERE key = 'instance'");
  if (!row) throw new Error('the store has no name of its own');
  return row.value;
}

function learnersOf(database: Database): Map<string, string> {
  const rows = database.all<{ hash: string; id: string }>(
    'SELECT secret_hash AS hash, id FROM learners',
  );
  return new Map(rows.map(({ hash, id }) => [hash, id]));
}

function sessionsOf(database: Database): readonly SessionRow[] {
  return database.all(
    `SELECT id, learner, lab, sandbox, queued_at AS queuedAt, started_at AS startedAt,
       extended_ms AS extendedMs, ended
     FROM sessions ORDER BY rowid`,
  );
}

function terminalsOf(database: Database): readonly (TerminalRow & { readonly session: string })[] {
  return database.all('SELECT id, session, host, title FROM terminals ORDER BY place, id');
}

/** @throws where there is no such row: its learner was removed, or it could not be kept */
function updateSession(database: Database, row: SessionRow): void {
  const updated = database.run(
    `UPDATE sessions SET sandbox = ?, queued_at = ?, started_at = ?, extended_ms = ?, ended = ?
     WHERE id = ?`,
    row.sandbox,
    row.queuedAt,
    row.startedAt,
    row.extendedMs,
    row.ended,
    row.id,
  );
  if (updated === 0) throw notKept(row.id);
}
