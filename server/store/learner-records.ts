import { randomBytes } from 'node:crypto';
import { newToken, tokenHash } from '../base/tokens.ts';
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

/** Why a secret that was somebody's leads nowhere any more: they have a new one, or were removed from their class. */
export type Retired = 'replaced' | 'removed';

interface StoredMember extends MemberRow {
  readonly class: string;
}

/** Learners, and the classes that they have joined: all of it in memory, and written behind. */
export class LearnerRecords {
  readonly #late: WriteBehind;
  /** By the hash of each secret of theirs. */
  readonly #byHash: Map<string, string>;
  /** By the hash of a secret that was somebody's. */
  readonly #retired: Map<string, Retired>;
  /** The one learner of a server without a class, once they have signed in. */
  #person: string | undefined;
  readonly #classes: Map<string, ClassRow>;
  /** By the learner's id, in the order in which they joined. */
  readonly #members: Map<string, StoredMember>;

  constructor(database: Database, late: WriteBehind) {
    this.#late = late;
    const learners = database.all<{ hash: string; id: string }>(
      `SELECT secret_hash AS hash, id FROM learners
       UNION ALL SELECT hash, learner FROM secrets WHERE learner IS NOT NULL`,
    );
    this.#byHash = new Map(learners.map(({ hash, id }) => [hash, id]));
    const retired = database.all<{ hash: string; why: Retired }>(
      'SELECT hash, retired AS why FROM secrets WHERE retired IS NOT NULL',
    );
    this.#retired = new Map(retired.map(({ hash, why }) => [hash, why]));
    this.#person = database.all<{ id: string }>(
      "SELECT value AS id FROM meta WHERE key = 'person'",
    )[0]?.id;
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

  /** A new learner; the secret goes into their cookie, and only its hash is kept. */
  create(): { readonly learner: string; readonly secret: string } {
    const learner = randomBytes(8).toString('hex');
    const secret = newToken();
    const hash = tokenHash(secret);
    this.#byHash.set(hash, learner);
    this.#late
      .act`INSERT INTO learners (id, secret_hash, created_at) VALUES (${learner}, ${hash}, ${Date.now()})`;
    return { learner, secret };
  }

  /** Signs one more browser in as the one learner of a server without a class. @returns the secret for its cookie */
  signIn(): string {
    if (this.#person === undefined) {
      const { learner, secret } = this.create();
      this.#person = learner;
      this.#late.act`INSERT INTO meta (key, value) VALUES ('person', ${learner})`;
      return secret;
    }
    const secret = newToken();
    const hash = tokenHash(secret);
    this.#byHash.set(hash, this.#person);
    this.#late.act`INSERT INTO secrets (hash, learner) VALUES (${hash}, ${this.#person})`;
    return secret;
  }

  /** Why a secret leads nowhere any more; `undefined` where it is somebody's, or never was. */
  retired(secret: string): Retired | undefined {
    return this.#retired.get(tokenHash(secret));
  }

  /**
   * Whose secret it is, of those who came without a class. The look-up goes by hash, so its timing tells nothing about
   * the secret.
   */
  find(secret: string): string | undefined {
    const learner = this.#byHash.get(tokenHash(secret));
    return learner === undefined || this.#members.has(learner) ? undefined : learner;
  }

  /** The member of that class whose secret it is. */
  findMember(className: string, secret: string): MemberRow | undefined {
    const member = this.#members.get(this.#byHash.get(tokenHash(secret)) ?? '');
    return member?.class === className ? member : undefined;
  }

  /** A new secret in place of the old one: whoever holds that is signed out. */
  renewSecret(learner: string): string {
    const secret = newToken();
    const hash = tokenHash(secret);
    this.#retireSecrets(learner, 'replaced');
    this.#byHash.set(hash, learner);
    this.#late.act`UPDATE learners SET secret_hash = ${hash} WHERE id = ${learner}`;
    return secret;
  }

  findClass(name: string): ClassRow | undefined {
    return this.#classes.get(name);
  }

  /** Keeps a class, or its new code and secret. */
  putClass({ name, code, instructorHash }: ClassRow): void {
    this.#classes.set(name, { name, code, instructorHash });
    this.#late.act`
      INSERT INTO classes (name, code, instructor_hash, created_at)
      VALUES (${name}, ${code}, ${instructorHash}, ${Date.now()})
      ON CONFLICT (name) DO UPDATE SET code = excluded.code, instructor_hash = excluded.instructor_hash`;
  }

  /** Who has joined a class, in that order. */
  members(className: string): readonly MemberRow[] {
    return [...this.#members.values()].filter((member) => member.class === className);
  }

  isTaken(className: string, name: string): boolean {
    const key = name.toLowerCase();
    return this.members(className).some((member) => member.name.toLowerCase() === key);
  }

  /** @returns the new member, or `undefined` where the name is taken */
  join(className: string, learner: string, name: string): MemberRow | undefined {
    if (this.isTaken(className, name)) return undefined;
    const member = { learner, class: className, name, joinedAt: Date.now(), handAt: undefined };
    this.#members.set(learner, member);
    this.#late.act`
      INSERT INTO members (learner, class, name, name_key, joined_at)
      VALUES (${learner}, ${className}, ${name}, ${name.toLowerCase()}, ${member.joinedAt})`;
    return member;
  }

  setHand(learner: string, at: number | undefined): void {
    const member = this.#members.get(learner);
    if (!member) return;
    this.#members.set(learner, { ...member, handAt: at });
    this.#late.act`UPDATE members SET hand_at = ${at} WHERE learner = ${learner}`;
  }

  /** The learner is forgotten; the store strikes the rows. */
  forget(learner: string): void {
    this.#retireSecrets(learner, 'removed');
    this.#members.delete(learner);
    if (this.#person === learner) this.#person = undefined;
  }

  #retireSecrets(learner: string, why: Retired): void {
    for (const [hash, owner] of this.#byHash) {
      if (owner !== learner) continue;
      this.#byHash.delete(hash);
      this.#retired.set(hash, why);
      this.#late.act`
        INSERT INTO secrets (hash, retired) VALUES (${hash}, ${why})
        ON CONFLICT (hash) DO UPDATE SET learner = NULL, retired = excluded.retired`;
    }
  }
}
