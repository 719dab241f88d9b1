import type { Database } from './database.ts';

/** A class as it is kept: its code as it is read out, and of the instructor's secret only the hash. */
export interface ClassRow {
  readonly name: string;
  readonly code: string;
  readonly instructorHash: string;
}

/** A learner who has joined a class. */
export interface MemberRow {
  readonly learner: string;
  /** As shown; no other member has it, capitals or not. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly joinedAt: number;
  /** Since when their hand is up. */
  readonly handAt: number | undefined;
}

interface RawMember {
  readonly learner: string;
  readonly name: string;
  readonly joined_at: number;
  readonly hand_at: number | null;
}

const MEMBER = 'learner, name, joined_at, hand_at FROM members';

/** Classes and who is in them, in the store's file. */
export class Members {
  readonly #rows: Database;

  constructor(rows: Database) {
    this.#rows = rows;
  }

  class(name: string): ClassRow | undefined {
    return this.#rows.one<ClassRow>(
      'SELECT name, code, instructor_hash AS instructorHash FROM classes WHERE name = ?',
      name,
    );
  }

  /** Writes a class, or its new code and secret. */
  putClass({ name, code, instructorHash }: ClassRow): void {
    this.#rows.run(
      `INSERT INTO classes (name, code, instructor_hash, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET code = excluded.code, instructor_hash = excluded.instructor_hash`,
      name,
      code,
      instructorHash,
      Date.now(),
    );
  }

  all(className: string): readonly MemberRow[] {
    return this.#rows
      .all<RawMember>(`SELECT ${MEMBER} WHERE class = ? ORDER BY joined_at, learner`, className)
      .map(memberRow);
  }

  /** The member of that class who has that secret. */
  find(className: string, secretHash: string): MemberRow | undefined {
    const row = this.#rows.one<RawMember>(
      `SELECT ${MEMBER} JOIN learners ON learners.id = members.learner
       WHERE members.class = ? AND learners.secret_hash = ?`,
      className,
      secretHash,
    );
    return row && memberRow(row);
  }

  /** @returns the new member, or `undefined` where the name is taken */
  add(className: string, learner: string, name: string): MemberRow | undefined {
    const joinedAt = Date.now();
    const added = this.#rows.run(
      'INSERT INTO members (learner, class, name, name_key, joined_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      learner,
      className,
      name,
      name.toLowerCase(),
      joinedAt,
    );
    return added === 1 ? { learner, name, joinedAt, handAt: undefined } : undefined;
  }

  isTaken(className: string, name: string): boolean {
    const taken = this.#rows.one(
      'SELECT 1 FROM members WHERE class = ? AND name_key = ?',
      className,
      name.toLowerCase(),
    );
    return taken !== undefined;
  }

  setHand(learner: string, at: number | undefined): void {
    this.#rows.run('UPDATE members SET hand_at = ? WHERE learner = ?', at ?? null, learner);
  }

  /** A new secret in place of the old one: whoever holds that is signed out. */
  setSecret(learner: string, secretHash: string): void {
    this.#rows.run('UPDATE learners SET secret_hash = ? WHERE id = ?', secretHash, learner);
  }

  /** Forgets a learner and all that is kept of them. */
  remove(learner: string): void {
    for (const table of ['signals', 'passes', 'terminals']) {
      this.#rows.run(
        `DELETE FROM ${table} WHERE session IN (SELECT id FROM sessions WHERE learner = ?)`,
        learner,
      );
    }
    this.#rows.run('DELETE FROM sessions WHERE learner = ?', learner);
    this.#rows.run('DELETE FROM members WHERE learner = ?', learner);
    this.#rows.run('DELETE FROM learners WHERE id = ?', learner);
  }
}

function memberRow({ learner, name, joined_at, hand_at }: RawMember): MemberRow {
  return { learner, name, joinedAt: joined_at, handAt: hand_at ?? undefined };
}
