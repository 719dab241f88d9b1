import type { JournalView, Signal, SignalBody, SignalKind, SignalOf } from '#lab';
import type { Database } from './database.ts';
import type { WriteBehind } from './write-behind.ts';

/** Checks look at a learner's last hour or two of work: a few hundred signals. Ten times that is plenty. */
const SIGNALS_KEPT = 5_000;
/** Dropping is done in strokes, not one by one. */
const DROPPED_AT_ONCE = 500;

/** What a pass speaks of: how the hosts are, or what has happened. */
type About = SignalOf<'pass'>['about'];

/** A check that was passed. */
export interface Pass {
  /** When (ms since the epoch). */
  readonly at: number;
  /** It was not the learner's own work. */
  readonly assisted: boolean;
  /** What it speaks of on these hosts; `undefined` for a pass that was earned on earlier ones. */
  readonly about: About | undefined;
}

/** A check that is passed now. */
export interface NewPass extends Omit<Pass, 'about'> {
  readonly check: string;
  readonly about: About;
}

interface SignalRow {
  readonly seq: number;
  readonly at: number;
  readonly body: string;
}

interface PassRow {
  readonly check: string;
  readonly at: number;
  readonly assisted: number;
  readonly about: About | undefined;
  readonly seq: number | undefined;
}

/** The ordered, stored record of what happened on a session's present hosts, and of all that the learner has passed. */
export class Journal implements JournalView {
  readonly #database: Database;
  readonly #late: WriteBehind;
  readonly #session: string;
  readonly #lists = new Map<SignalKind, SignalList>();
  readonly #passes = new Map<string, Pass>();
  #oldest = 1;
  #newest = 0;
  #closed = false;

  /** Reads what is stored of a session. */
  constructor(database: Database, late: WriteBehind, session: string) {
    this.#database = database;
    this.#late = late;
    this.#session = session;
    const signals = database.all<SignalRow>(
      'SELECT seq, at, body FROM signals WHERE session = ? ORDER BY seq',
      session,
    );
    this.#oldest = signals[0]?.seq ?? 1;
    for (const { seq, at, body } of signals) {
      this.#index({ ...(JSON.parse(body) as SignalBody), seq, at });
    }
    const passes = database.all<PassRow>(
      'SELECT check_id AS "check", at, assisted, about, seq FROM passes WHERE session = ? ORDER BY seq',
      session,
    );
    for (const { check, at, assisted, about, seq } of passes) {
      this.#passes.set(check, { at, assisted: assisted === 1, about });
      if (about !== undefined && seq !== undefined)
        this.#index({ kind: 'pass', check, about, seq, at });
    }
  }

  /** How many signals there are. */
  get size(): number {
    return [...this.#lists.values()].reduce((size, list) => size + list.size, 0);
  }

  /** All that the learner has passed, by check; on earlier hosts too. */
  get passes(): ReadonlyMap<string, Pass> {
    return this.#passes;
  }

  /** Gives a signal its place and time, and keeps it. */
  add(body: SignalBody): void {
    if (this.#closed) return;
    if (body.kind === 'pass') {
      this.pass({ ...body, at: Date.now(), assisted: false });
      return;
    }
    const signal: Signal = { ...body, seq: this.#newest + 1, at: Date.now() };
    this.#index(signal);
    this.#late.journal(() =>
      this.#database.run(
        'INSERT INTO signals (session, seq, at, body) VALUES (?, ?, ?, ?)',
        this.#session,
        signal.seq,
        signal.at,
        JSON.stringify(body),
      ),
    );
    if (this.#newest - this.#oldest >= SIGNALS_KEPT + DROPPED_AT_ONCE) this.#dropOldest();
  }

  /** Keeps a pass. A second one of the same check changes nothing. */
  pass({ check, at, about, assisted }: NewPass): void {
    if (this.#closed || this.#passes.has(check)) return;
    const seq = this.#newest + 1;
    this.#passes.set(check, { at, assisted, about });
    this.#index({ kind: 'pass', check, about, seq, at });
    this.#late.act(
      `INSERT INTO passes (session, check_id, at, assisted, about, seq) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      this.#session,
      check,
      at,
      assisted ? 1 : 0,
      about,
      seq,
    );
  }

  all<K extends SignalKind>(kind: K): readonly SignalOf<K>[] {
    return (this.#lists.get(kind)?.shown() ?? []) as readonly Signal[] as readonly SignalOf<K>[];
  }

  last<K extends SignalKind>(
    kind: K,
    fits: (signal: SignalOf<K>) => boolean = () => true,
  ): SignalOf<K> | undefined {
    return this.all(kind).findLast(fits);
  }

  /** Its hosts are gone: nothing more is taken. */
  close(): void {
    this.#closed = true;
  }

  #index(signal: Signal): void {
    const list = this.#lists.get(signal.kind) ?? new SignalList();
    this.#lists.set(signal.kind, list.add(signal));
    this.#newest = Math.max(this.#newest, signal.seq);
  }

  /** A runaway loop in a host fills neither memory nor disk. Passes stay: there are no more of them than checks. */
  #dropOldest(): void {
    this.#oldest = this.#newest - SIGNALS_KEPT + 1;
    const oldest = this.#oldest;
    for (const [kind, list] of this.#lists) if (kind !== 'pass') list.dropBefore(oldest);
    this.#late.journal(() =>
      this.#database.run(
        'DELETE FROM signals WHERE session = ? AND seq < ?',
        this.#session,
        oldest,
      ),
    );
  }
}

/** Signals of one kind, oldest first. A list that was shown stays as it is: it is copied before the next is added. */
class SignalList {
  #signals: Signal[] = [];
  #isShown = false;

  get size(): number {
    return this.#signals.length;
  }

  shown(): readonly Signal[] {
    this.#isShown = true;
    return this.#signals;
  }

  add(signal: Signal): this {
    if (this.#isShown) this.#replace([...this.#signals]);
    this.#signals.push(signal);
    return this;
  }

  dropBefore(seq: number): void {
    this.#replace(this.#signals.filter((signal) => signal.seq >= seq));
  }

  #replace(signals: Signal[]): void {
    this.#signals = signals;
    this.#isShown = false;
  }
}
