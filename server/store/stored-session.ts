import type { Database } from './database.ts';
import { Journal } from './journal.ts';
import type { WriteBehind } from './write-behind.ts';

/** A session as it is kept. `sandbox` is absent while it has none. */
export interface SessionRow {
  /** Changes when the session takes a sandbox that was there before it. */
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
  /** The version of the lab from which its sandbox was made, where the lab had one. */
  readonly version: number | undefined;
  /** Since when its sandbox is stopped and kept (ms since the epoch); until its hosts are the learner's again. */
  readonly stoppedAt: number | undefined;
  /** Which limit has stopped it. */
  readonly stoppedBecause: StoppedBecause | undefined;
}

/** The limit that has stopped a sandbox. */
export type StoppedBecause = 'idle' | 'total';

/** What a row says of a session whose hosts are not stopped. */
const NOT_STOPPED = { stoppedAt: undefined, stoppedBecause: undefined } as const;

/** What a row says of a session that has not begun. */
export const NOT_BEGUN = {
  sandbox: undefined,
  queuedAt: undefined,
  startedAt: undefined,
  extendedMs: 0,
  ended: undefined,
  version: undefined,
  ...NOT_STOPPED,
} as const;

/** What is forgotten when a session starts over: all passes, or those of steps that were done for the learner. */
export type Forget = 'all' | 'assisted';

/** A terminal as it is kept: a server that comes back finds its shell by it. */
export interface TerminalRow {
  readonly id: string;
  readonly host: string;
  readonly title: string;
}

/** A sandbox with which a session begins. */
export interface NewSandbox {
  readonly sandbox: string;
  /** When it was wanted (ms since the epoch). */
  readonly at: number;
  /** The session id on its labels, where it was there before the session: that takes the id over, with all that is kept. */
  readonly id?: string;
  /** The version of the lab that it is made from. */
  readonly version?: number | undefined;
}

/** All that is kept of one session: its row, its terminals, and what happened on its hosts. */
export class StoredSession {
  readonly #database: Database;
  readonly #late: WriteBehind;
  readonly #terminals: Map<string, TerminalRow>;
  #row: SessionRow;
  /** Read when it is first asked for. */
  #journal: Journal | undefined;
  #isForgotten = false;

  constructor(
    database: Database,
    late: WriteBehind,
    row: SessionRow,
    terminals: readonly TerminalRow[] = [],
  ) {
    this.#database = database;
    this.#late = late;
    this.#row = row;
    this.#terminals = new Map(terminals.map((terminal) => [terminal.id, terminal]));
  }

  get row(): SessionRow {
    return this.#row;
  }

  get id(): string {
    return this.#row.id;
  }

  /** What happened on the session's present hosts, and what was passed. The hosts that come after have another. */
  get journal(): Journal {
    this.#journal ??= new Journal(this.#database, this.#late, this.id);
    if (this.#isForgotten) this.#journal.close();
    return this.#journal;
  }

  /** In the order in which they were opened. */
  get terminals(): readonly TerminalRow[] {
    return [...this.#terminals.values()];
  }

  /**
   * The session begins with a sandbox: its time runs from then, it neither waits nor has ended, and what happened on the
   * hosts before is forgotten. Settles when that is on disk: only then the sandbox may be made.
   *
   * @throws QuaysideError DISK_FULL, or the signal's reason; nothing has changed then, the id neither
   */
  begin({ id = this.id, sandbox, at, version }: NewSandbox, signal?: AbortSignal): Promise<void> {
    const begun = { ...NOT_BEGUN, id, sandbox, startedAt: at, version };
    return this.#leaveHosts(begun, () => undefined, signal);
  }

  /**
   * The session waits for other hosts in place of those that it has; what happened on these is forgotten, and so are
   * all passes, or those that were not the learner's own work.
   *
   * @throws QuaysideError DISK_FULL, or the signal's reason; nothing has changed then
   */
  startOver(
    { queuedAt, forget }: { readonly queuedAt: number; readonly forget: Forget },
    signal?: AbortSignal,
  ): Promise<void> {
    const least = forget === 'all' ? 0 : 1;
    const forgetPasses = () =>
      this.#database.run`DELETE FROM passes WHERE session = ${this.id} AND assisted >= ${least}`;
    return this.#leaveHosts(
      { sandbox: undefined, queuedAt, ended: undefined, ...NOT_STOPPED },
      forgetPasses,
      signal,
    );
  }

  /**
   * Its sandbox is about to be stopped and kept. Settles when that is on disk: only then it may be stopped, so that whoever
   * goes on with it knows what ran. Nothing is written where the session has another sandbox by then, or none.
   *
   * @throws QuaysideError DISK_FULL; nothing has changed then
   */
  async stop(sandbox: string, stoppedAt: number, stoppedBecause: StoppedBecause): Promise<void> {
    let row = this.#row;
    const write = () => {
      row = this.#row;
      if (this.#isForgotten || row.sandbox !== sandbox) return;
      row = { ...row, queuedAt: undefined, stoppedAt, stoppedBecause };
      this.#write(row);
    };
    await this.#late.commit(write, () => {
      this.#row = row;
    });
  }

  /** The hosts that were stopped are the learner's again; its time runs anew. */
  setRunning(startedAt: number): void {
    this.#change({ queuedAt: undefined, startedAt, extendedMs: 0, ...NOT_STOPPED });
  }

  /** It waits for room since `at`, or does not wait any more. */
  setQueued(at: number | undefined): void {
    this.#change(at === undefined ? { queuedAt: at } : { queuedAt: at, ended: undefined });
  }

  /** What the learner has added to its whole time (ms). */
  setExtended(milliseconds: number): void {
    this.#change({ extendedMs: milliseconds });
  }

  /** It is over, and its sandbox and terminals with it. What happened and what was passed is kept. */
  setEnded(reason: string): void {
    this.#loseSandbox({ queuedAt: undefined, ended: reason });
  }

  /** Its sandbox is no more, and its terminals neither. */
  sandboxGone(): void {
    this.#loseSandbox({});
  }

  addTerminal({ id, host, title }: TerminalRow): void {
    if (this.#isForgotten) return;
    this.#terminals.set(id, { id, host, title });
    this.#late.act`
      INSERT INTO terminals (id, session, host, title, place)
      VALUES (${id}, ${this.id}, ${host}, ${title},
        (SELECT coalesce(max(place), 0) + 1 FROM terminals))`;
  }

  removeTerminal(id: string): void {
    this.#terminals.delete(id);
    this.#late.act`DELETE FROM terminals WHERE id = ${id}`;
  }

  /** The learner is removed, and the store strikes the rows: nothing more is kept. */
  forget(): void {
    this.#isForgotten = true;
    this.#journal?.close();
    this.#journal = undefined;
    this.#terminals.clear();
  }

  /** @param also written in the same transaction */
  #change(change: Partial<SessionRow>, also: () => void = () => undefined): void {
    if (this.#isForgotten) return;
    const row = { ...this.#row, ...change };
    this.#row = row;
    this.#late.acts(() => {
      this.#write(row);
      also();
    });
  }

  #loseSandbox(change: Partial<SessionRow>): void {
    this.#terminals.clear();
    const { id } = this;
    const forgetTerminals = () => this.#database.run`DELETE FROM terminals WHERE session = ${id}`;
    this.#change({ ...change, sandbox: undefined, ...NOT_STOPPED }, forgetTerminals);
  }

  /** The session's hosts are no more: one transaction for the row, and for all that spoke of them. */
  async #leaveHosts(
    change: Partial<SessionRow>,
    forgetPasses: () => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const database = this.#database;
    let row = this.#row;
    const write = () => {
      if (this.#isForgotten) throw notKept(this.id);
      const { id } = this;
      row = { ...this.#row, ...change };
      database.run`PRAGMA defer_foreign_keys = ON`;
      database.run`DELETE FROM signals WHERE session = ${id}`;
      database.run`DELETE FROM terminals WHERE session = ${id}`;
      forgetPasses();
      database.run`UPDATE passes SET session = ${row.id}, about = NULL, seq = NULL WHERE session = ${id}`;
      database.run`UPDATE sessions SET id = ${row.id} WHERE id = ${id}`;
      this.#write(row);
    };
    const written = () => {
      this.#row = row;
      this.#terminals.clear();
      this.#journal?.close();
      this.#journal = undefined;
    };
    await this.#late.commit(write, written, signal);
  }

  /** @throws where there is no such row: its learner was removed, or it could not be kept */
  #write(row: SessionRow): void {
    const updated = this.#database.run`
      UPDATE sessions SET sandbox = ${row.sandbox}, queued_at = ${row.queuedAt},
        started_at = ${row.startedAt}, extended_ms = ${row.extendedMs}, ended = ${row.ended},
        version = ${row.version}, stopped_at = ${row.stoppedAt},
        stopped_because = ${row.stoppedBecause}
      WHERE id = ${row.id}`;
    if (updated === 0) throw notKept(row.id);
  }
}

function notKept(session: string): Error {
  return new Error(`the session ${session} is not kept`);
}
