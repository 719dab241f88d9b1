import type { Database } from './database.ts';
import type { WriteBehind } from './write-behind.ts';

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

interface StoredMember extends MemberRow {
  readonly class: string;
}

/** Classes and who is in them: all of it in memory, and written behind. */
export class Classes {
  readonly #late: WriteBehind;
  readonly #classes: Map<string, ClassRow>;
  /** By the learner's id, in the order in which they joined. */
  readonly #members: Map<string, StoredMember>;

  constructor(database: Database, late: WriteBehind) {
    this.#late = late;
    const classes = database.all<ClassRow>(
      'SELECT name, code, instructor_hash AS instructorHash FROM classes',
    );
    this.#classes = new Map(classes.map((row) => [row.name, row]));
    const members = database.all<StoredMember>(
      `SELECT learner, class, name, joined_at AS joinedAt, hand_at AS handAt
       FROM members ORDER BY joined_at, learner`,
    );
    this.#members = new Map(members.map((member) => [member.learner, member]));
  }

  find(name: string): ClassRow | undefined {
    return this.#classes.get(name);
  }

  /** Keeps a class, or its new code and secret. */
  put({ name, code, instructorHash }: ClassRow): void {
    this.#classes.set(name, { name, code, instructorHash });
    this.#late.act(
      `INSERT INTO classes (name, code, instructor_hash, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET code = excluded.code, instructor_hash = excluded.instructor_hash`,
      name,
      code,
      instructorHash,
      Date.now(),
    );
  }

  /** Who has joined a class, in that order. */
  members(className: string): readonly MemberRow[] {
    return [...this.#members.values()].filter((member) => member.class === className);
  }

  /** A learner as a member of that class. */
  member(className: string, learner: string): MemberRow | undefined {
    const member = this.#members.get(learner);
    return member?.class === className ? member : undefined;
  }

  /** Whether a learner is in a class, whichever. */
  hasMember(learner: string): boolean {
    return this.#members.has(learner);
  }

  isTaken(className: string, name: string): boolean {
    const key = name.toLowerCase();
    return this.members(className).some((member) => member.name.toLowerCase() === key);
  }

  /** @returns the new member, or `undefined` where the name is taken */
  add(className: string, learner: string, name: string): MemberRow | undefined {
    if (this.isTaken(className, name)) return undefined;
    const member = { learner, class: className, name, joinedAt: Date.now(), handAt: undefined };
    this.#members.set(learner, member);
    this.#late.act(
      'INSERT INTO members (learner, class, name, name_key, joined_at) VALUES (?, ?, ?, ?, ?)',
      learner,
      className,
      name,
      name.toLowerCase(),
      member.joinedAt,
    );
    return member;
  }

  setHand(learner: string, at: number | undefined): void {
    const member = this.#members.get(learner);
    if (!member) return;
    this.#members.set(learner, { ...member, handAt: at });
    this.#late.act('UPDATE members SET hand_at = ? WHERE learner = ?', at, learner);
  }

  /** The learner is forgotten; the store strikes the row. */
  forget(learner: string): void {
    this.#members.delete(learner);
  }
}
