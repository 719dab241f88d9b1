import { randomBytes } from 'node:crypto';
import type { Signal, SignalBody } from '#lab';
import { newToken, tokenHash } from '../base/tokens.ts';
import { Database } from './database.ts';
import { Members } from './members.ts';
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

const SESSION_COLUMNS =
  'id, learner, lab, sandbox, queued_at AS queuedAt, started_at AS startedAt, extended_ms AS extendedMs, ended';

export interface TerminalRow {
  readonly id: string;
  readonly host: string;
  readonly title: string;
}

/**
 * What outlives the server: learners, sessions, their journal, passes and terminals, in one SQLite file. The only
 * place that knows SQL. Rows are written before the objects they speak of, so that after a crash either the row or
 * the object's label finds it.
 */
export class Store implements Disposable {
  readonly #rows: Database;
  readonly #late = new WriteBehind();
  /** Classes and who is in them. */
  readonly members: Members;

  /** @param path the file, or `:memory:` */
  constructor(path: string) {
    this.#rows = new Database(path);
    this.members = new Members(this.#rows);
  }

  [Symbol.dispose](): void {
    this.#late[Symbol.dispose]();
    this.#rows[Symbol.dispose]();
  }

  /** How many records wait in memory for room on the disk; 0 while all is well. */
  get unwritten(): number {
    return this.#late.size;
  }

  /** This server's own name among all that may share an engine; made once. */
  get instance(): string {
    const known = this.#rows.one<{ value: string }>(
      "SELECT value FROM meta WHERE key = 'instance'",
    );
    if (known) return known.value;
    const instance = randomBytes(4).toString('hex');
    this.#rows.run("INSERT INTO meta (key, value) VALUES ('instance', ?)", instance);
    return instance;
  }

  /** A new learner; the secret goes into their cookie, and only its hash is kept. */
  createLearner(): { readonly learner: string; readonly secret: string } {
    const learner = randomBytes(8).toString('hex');
    const secret = newToken();
    this.#rows.run(
      'INSERT INTO learners (id, secret_hash, created_at) VALUES (?, ?, ?)',
      learner,
      tokenHash(secret),
      Date.now(),
    );
    return { learner, secret };
  }

  /**
   * Whose secret it is, of those who came without a class. The look-up goes by hash, so its timing tells nothing about
   * the secret.
   */
  findLearner(secret: string): string | undefined {
    return this.#rows.one<{ id: string }>(
      'SELECT id FROM learners WHERE secret_hash = ? AND id NOT IN (SELECT learner FROM members)',
      tokenHash(secret),
    )?.id;
  }

  /** The learner's session of a lab; made on first use. */
  session(learner: string, lab: string): SessionRow {
    this.#rows.run(
      'INSERT INTO sessions (id, learner, lab, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      randomBytes(6).toString('hex'),
      learner,
      lab,
      Date.now(),
    );
    const row = this.#rows.one<RawSession>(
      `SELECT ${SESSION_COLUMNS} FROM sessions WHERE learner = ? AND lab = ?`,
      learner,
      lab,
    );
    if (!row) throw new Error('a session that was just written is not there');
    return sessionRow(row);
  }

  /** Sessions that have a sandbox, to be adopted when the server starts. */
  sessionsWithSandbox(): readonly SessionRow[] {
    return this.#rows
      .all<RawSession>(`SELECT ${SESSION_COLUMNS} FROM sessions WHERE sandbox IS NOT NULL`)
      .map(sessionRow);
  }

  /** Sessions that wait for room, first come first. */
  sessionsInQueue(): readonly SessionRow[] {
    return this.#rows
      .all<RawSession>(
        `SELECT ${SESSION_COLUMNS} FROM sessions WHERE queued_at IS NOT NULL ORDER BY queued_at, rowid`,
      )
      .map(sessionRow);
  }

  /** @throws QuaysideError DISK_FULL: a sandbox whose row is not on disk must not be made */
  setSandbox(session: string, sandbox: string | undefined): void {
    if (sandbox === undefined) {
      this.#late.write(session, 'session', (id) =>
        this.#rows.run('UPDATE sessions SET sandbox = NULL WHERE id = ?', id),
      );
      return;
    }
    this.#late.flush();
    this.#rows.run('UPDATE sessions SET sandbox = ? WHERE id = ?', sandbox, session);
  }

  /** The session begins: its time runs from now, and it is not ended. */
  setStarted(session: string, at: number): void {
    this.#late.flush();
    this.#rows.run(
      'UPDATE sessions SET started_at = ?, extended_ms = 0, queued_at = NULL, ended = NULL WHERE id = ?',
      at,
      session,
    );
  }

  /** The session waits for room since `at`, or does not wait any more. */
  setQueued(session: string, at: number | undefined): void {
    this.#late.write(session, 'session', (id) =>
      this.#rows.run(
        'UPDATE sessions SET queued_at = ?, ended = NULL WHERE id = ?',
        at ?? null,
        id,
      ),
    );
  }

  /** When the session began, and what was added to its time. */
  times(session: string): Pick<SessionRow, 'startedAt' | 'extendedMs'> {
    const row = this.#rows.one<RawSession>(
      `SELECT ${SESSION_COLUMNS} FROM sessions WHERE id = ?`,
      session,
    );
    return row ? sessionRow(row) : { startedAt: undefined, extendedMs: 0 };
  }

  setExtended(session: string, milliseconds: number): void {
    this.#rows.run('UPDATE sessions SET extended_ms = ? WHERE id = ?', milliseconds, session);
  }

  setEnded(session: string, reason: string): void {
    this.#late.write(session, 'session', (id) =>
      this.#rows.run(
        'UPDATE sessions SET sandbox = NULL, queued_at = NULL, ended = ? WHERE id = ?',
        reason,
        id,
      ),
    );
  }

  /**
   * The session takes a sandbox that was there before it, and with it the session id on that sandbox's labels, which
   * cannot be changed any more. All that speaks of the session follows in the same stroke.
   */
  takeSandbox(session: string, id: string, sandbox: string): void {
    const references = this.#rows.all<{ name: string; column: string }>(
      `SELECT t.name AS name, f."from" AS "column" FROM sqlite_master t, pragma_foreign_key_list(t.name) f
       WHERE t.type = 'table' AND f."table" = 'sessions'`,
    );
    this.#late.rename(session, id);
    this.#rows.transaction(() => {
      this.#rows.run('PRAGMA defer_foreign_keys = ON');
      this.#rows.run('UPDATE sessions SET id = ?, sandbox = ? WHERE id = ?', id, sandbox, session);
      for (const { name, column } of references) {
        this.#rows.run(`UPDATE "${name}" SET "${column}" = ? WHERE "${column}" = ?`, id, session);
      }
    });
  }

  /** Puts the session back to its start: no journal, no passes, no terminals. */
  clearSession(session: string): void {
    this.#late.flush();
    this.#rows.run('DELETE FROM passes WHERE session = ?', session);
    this.clearSandbox(session);
  }

  /** The same, but what the learner has passed without help stays. */
  clearAssisted(session: string): void {
    this.#late.flush();
    this.#rows.run('DELETE FROM passes WHERE session = ? AND assisted = 1', session);
    this.clearSandbox(session);
  }

  /** Forgets the sandbox's terminals and all that happened on it. */
  clearSandbox(session: string): void {
    this.clearJournal(session);
    this.#rows.run('DELETE FROM terminals WHERE session = ?', session);
  }

  /** Forgets what happened to a sandbox that is no more. */
  clearJournal(session: string): void {
    this.#late.flush();
    this.#rows.run('DELETE FROM signals WHERE session = ?', session);
    // Only now: where the disk is full, nothing has been cleared, and what is late belongs to what is there.
    this.#late.forgetJournal(session);
  }

  signals(session: string): readonly Signal[] {
    return this.#rows
      .all<{ seq: number; at: number; body: string }>(
        'SELECT seq, at, body FROM signals WHERE session = ? ORDER BY seq',
        session,
      )
      .map(({ seq, at, body }) => ({ ...(JSON.parse(body) as SignalBody), seq, at }));
  }

  addSignal(session: string, { seq, at, ...body }: Signal): void {
    this.#late.write(session, 'journal', (id) =>
      this.#rows.run(
        'INSERT INTO signals (session, seq, at, body) VALUES (?, ?, ?, ?)',
        id,
        seq,
        at,
        JSON.stringify(body),
      ),
    );
  }

  /** Drops the oldest signals, so that a runaway loop in a host cannot fill the disk. */
  dropSignalsBefore(session: string, seq: number): void {
    this.#late.write(session, 'journal', (id) =>
      this.#rows.run('DELETE FROM signals WHERE session = ? AND seq < ?', id, seq),
    );
  }

  passes(session: string): ReadonlyMap<string, number> {
    const rows = this.#rows.all<{ check_id: string; at: number }>(
      'SELECT check_id, at FROM passes WHERE session = ?',
      session,
    );
    return new Map(rows.map(({ check_id, at }) => [check_id, at]));
  }

  /** The checks of a session that were passed while something was done for the learner. */
  assisted(session: string): ReadonlySet<string> {
    const rows = this.#rows.all<{ check_id: string }>(
      'SELECT check_id FROM passes WHERE session = ? AND assisted = 1',
      session,
    );
    return new Set(rows.map(({ check_id }) => check_id));
  }

  /** A pass is kept once it happened; a second one changes nothing. */
  addPass(session: string, check: string, at: number, assisted = false): void {
    this.#late.write(session, 'session', (id) =>
      this.#rows.run(
        `INSERT INTO passes (session, check_id, at, assisted) VALUES (?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        id,
        check,
        at,
        assisted ? 1 : 0,
      ),
    );
  }

  terminals(session: string): readonly TerminalRow[] {
    return this.#rows.all<TerminalRow>(
      'SELECT id, host, title FROM terminals WHERE session = ? ORDER BY place, id',
      session,
    );
  }

  addTerminal(session: string, { id, host, title }: TerminalRow): void {
    this.#rows.run(
      `INSERT INTO terminals (id, session, host, title, place)
       VALUES (?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM terminals))`,
      id,
      session,
      host,
      title,
    );
  }

  removeTerminal(id: string): void {
    this.#late.write('', 'session', () => this.#rows.run('DELETE FROM terminals WHERE id = ?', id));
  }
}

interface RawSession {
  readonly id: string;
  readonly learner: string;
  readonly lab: string;
  readonly sandbox: string | null;
  readonly queuedAt: number | null;
  readonly startedAt: number | null;
  readonly extendedMs: number;
  readonly ended: string | null;
}

function sessionRow({ sandbox, queuedAt, startedAt, ended, ...row }: RawSession): SessionRow {
  return {
    ...row,
    sandbox: sandbox ?? undefined,
    queuedAt: queuedAt ?? undefined,
    startedAt: startedAt ?? undefined,
    ended: ended ?? undefined,
  };
}
