import type { JournalView, Signal, SignalBody, SignalKind, SignalOf } from '#lab';
import type { GuidePurpose } from '#protocol';
import type { Database } from './database.ts';
import type { WriteBehind } from './write-behind.ts';

/** Checks look at a learner's last hour or two of work: a few hundred signals. Ten times that is plenty. */
const SIGNALS_KEPT = 5_000;
/** Dropping is done in strokes, not one by one. */
const DROPPED_AT_ONCE = 500;

/** What a pass speaks of: how the hosts are, or what has happened. */
export type About = SignalOf<'pass'>['about'];

/** `false`: by the learner's own hand. */
export type Assisted = false | GuidePurpose;

/** As the file has it, by its number. Before a start was told from a step, it was a step as well. */
const ASSISTED: readonly Assisted[] = [false, 'step', 'start'];

/** A check that was passed. */
export interface Pass {
  /** When (ms since the epoch). */
  readonly at: number;
  /** It was not the learner's own work, but done for them so. */
  readonly assisted: Assisted;
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
  readonly #late: WriteBehind;
  readonly #session: string;
  /** Oldest first. A list that was given out never changes. */
  readonly #signals: Map<SignalKind, readonly Signal[]>;
  readonly #passes = new Map<string, Pass>();
  #oldest: number;
  #newest: number;
  #closed = false;

  /** Reads what is stored of a session. */
  constructor(database: Database, late: WriteBehind, session: string) {
    this.#late = late;
    this.#session = session;
    const rows = database.all<SignalRow>`
      SELECT seq, at, body FROM signals WHERE session = ${session} ORDER BY seq`;
    const passes = database.all<PassRow>`
      SELECT check_id AS "check", at, assisted, about, seq FROM passes
      WHERE session = ${session} ORDER BY seq`;
    const signals = rows.map(({ seq, at, body }): Signal => {
      return { ...(JSON.parse(body) as SignalBody), seq, at };
    });
    for (const { check, at, assisted, about, seq } of passes) {
      this.#passes.set(check, { at, assisted: ASSISTED[assisted] ?? false, about });
      if (about !== undefined && seq !== undefined) {
        signals.push({ kind: 'pass', check, about, seq, at });
      }
    }
    this.#signals = Map.groupBy(signals, ({ kind }) => kind);
    this.#oldest = rows[0]?.seq ?? 1;
    this.#newest = Math.max(0, ...signals.map(({ seq }) => seq));
  }

  get size(): number {
    return [...this.#signals.values()].flat().length;
  }

  /** Nothing has happened on the present hosts. Dropping never empties it: the newest signals stay. */
  get isEmpty(): boolean {
    return this.#newest === 0;
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
    const { seq, at } = signal;
    this.#late.journal`
      INSERT INTO signals (session, seq, at, body)
      VALUES (${this.#session}, ${seq}, ${at}, ${JSON.stringify(body)})`;
    if (this.#newest - this.#oldest >= SIGNALS_KEPT + DROPPED_AT_ONCE) this.#dropOldest();
  }

  /**
   * Keeps a pass. One of earlier hosts is earned again on these, so that other checks can come after it; when it was first
   * earned, and whose work that was, stays. A second one on the same hosts changes nothing.
   *
   * @returns the pass of this check as it stands
   */
  pass({ check, at: now, about, assisted: by }: NewPass): Pass {
    const known = this.#passes.get(check);
    const { at, assisted } = known ?? { at: now, assisted: by };
    const pass = { at, assisted, about };
    if (this.#closed || known?.about !== undefined) return known ?? pass;
    const seq = this.#newest + 1;
    this.#passes.set(check, pass);
    this.#index({ kind: 'pass', check, about, seq, at });
    this.#late.act`
      INSERT INTO passes (session, check_id, at, assisted, about, seq)
      VALUES (${this.#session}, ${check}, ${at}, ${ASSISTED.indexOf(assisted)}, ${about}, ${seq})
      ON CONFLICT (session, check_id) DO UPDATE SET about = excluded.about, seq = excluded.seq
      WHERE about IS NULL`;
    return pass;
  }

  all<K extends SignalKind>(kind: K): readonly SignalOf<K>[] {
    return (this.#signals.get(kind) ?? []) as readonly Signal[] as readonly SignalOf<K>[];
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
    this.#signals.set(signal.kind, [...(this.#signals.get(signal.kind) ?? []), signal]);
    this.#newest = signal.seq;
  }

  /** A runaway loop in a host fills neither memory nor disk. Passes stay: there are no more of them than checks. */
  #dropOldest(): void {
    this.#oldest = this.#newest - SIGNALS_KEPT + 1;
    const oldest = this.#oldest;
    for (const [kind, list] of this.#signals) {
      const kept = list.filter(({ seq }) => kind === 'pass' || seq >= oldest);
      this.#signals.set(kind, kept);
    }
    this.#late.journal`DELETE FROM signals WHERE session = ${this.#session} AND seq < ${oldest}`;
  }
}
