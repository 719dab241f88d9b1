import { QuaysideError } from '../base/errors.ts';
import { newSpokenCode, normalizeSpokenCode, tokenHash, tokensEqual } from '../base/tokens.ts';
import type { MemberRow, Retired } from '../store/learner-records.ts';
import type { Store } from '../store/store.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { displayName } from './display-name.ts';

/** 8 letters, 39 bits: read out once to a room. What keeps it from being guessed is {@link AttemptLimiter}. */
const CODE = { groups: 2, length: 4 } as const;
/** 25 letters, 121 bits: not to be guessed at all. */
const SECRET = { groups: 5, length: 5 } as const;

export interface ClassOptions {
  readonly store: Store;
  readonly name: string;
  /** How many learners may join. */
  readonly learnersMost: number;
  /** A new instructor's secret, though there is one already. */
  readonly newSecret?: boolean;
  /** A new code to join with; who has joined stays. */
  readonly newCode?: boolean;
  readonly attempts?: AttemptLimiter;
}

/** A learner who has just come in, and what lets this browser in from now on. */
export interface Joined {
  readonly member: MemberRow;
  readonly secret: string;
}

/** One class: who may come in, and as whom. */
export class Class {
  readonly name: string;
  /** What the learners type to join, as it is written on the board. */
  readonly code: string;
  /** The instructor's secret, where it was made just now: it is shown once, and only its hash is kept. */
  readonly freshSecret: string | undefined;
  readonly #options: ClassOptions;
  readonly #attempts: AttemptLimiter;
  #instructorHash: string;

  constructor(options: ClassOptions) {
    this.#options = options;
    this.#attempts = options.attempts ?? new AttemptLimiter();
    this.name = options.name;
    const { learners } = options.store;
    const known = learners.findClass(options.name);
    const isKept = known && !options.newSecret;
    this.freshSecret = isKept ? undefined : newSpokenCode(SECRET.groups, SECRET.length);
    this.#instructorHash = isKept
      ? known.instructorHash
      : tokenHash(normalizeSpokenCode(this.freshSecret ?? ''));
    this.code = known && !options.newCode ? known.code : newSpokenCode(CODE.groups, CODE.length);
    learners.putClass({ name: this.name, code: this.code, instructorHash: this.#instructorHash });
  }

  get members(): readonly MemberRow[] {
    return this.#options.store.learners.members(this.name);
  }

  /**
   * A new learner comes in.
   *
   * @param address where the request came from, for the limit on guesses
   * @throws QuaysideError CODE_WRONG, TOO_MANY_TRIES, NAME_INVALID, NAME_TAKEN, CLASS_FULL
   */
  join(address: string, code: string, typedName: string): Joined {
    this.#attempts.ask(address);
    if (!tokensEqual(normalizeSpokenCode(code), normalizeSpokenCode(this.code))) {
      this.#attempts.missed(address);
      throw new QuaysideError(
        'CODE_WRONG',
        'That is not the code of this class.',
        'Compare it with what your instructor shows, letter by letter. Capitals and dashes do not matter.',
      );
    }
    this.#attempts.hit(address);
    const name = displayName(typedName);
    const { store, learnersMost } = this.#options;
    if (store.learners.isTaken(this.name, name)) throw nameTaken(name);
    if (this.members.length >= learnersMost) {
      throw new QuaysideError(
        'CLASS_FULL',
        `This class has ${learnersMost} learners, which is as many as it may.`,
        'Ask your instructor to make room.',
      );
    }
    const { learner, secret } = store.learners.create();
    const member = store.learners.join(this.name, learner, name);
    if (!member) throw nameTaken(name);
    return { member, secret };
  }

  /**
   * A learner comes back by their personal link, on this device or another.
   *
   * @throws QuaysideError LINK_UNKNOWN, LINK_REPLACED, LEARNER_REMOVED, TOO_MANY_TRIES
   */
  return(address: string, secret: string): Joined {
    this.#attempts.ask(address);
    const member = this.member(secret);
    if (!member) {
      const out = this.whyOut(secret);
      if (out) throw out;
      this.#attempts.missed(address);
      throw new QuaysideError(
        'LINK_UNKNOWN',
        'That personal link leads to nobody in this class.',
        'Check that the whole of it was copied. If it is lost, ask your instructor for a new one.',
      );
    }
    return { member, secret };
  }

  /** Whose secret it is. The look-up goes by hash, so its timing tells nothing. */
  member(secret: string): MemberRow | undefined {
    return this.#options.store.learners.findMember(this.name, secret);
  }

  /** What whoever holds a secret is told that was a learner's; `undefined` for any other. */
  whyOut(secret: string): QuaysideError | undefined {
    const why = this.#options.store.learners.retired(secret);
    return why && OUT[why]();
  }

  /** A new secret for a learner who has lost theirs; whoever holds the old one is signed out. */
  renewSecret(learner: string): string {
    return this.#options.store.learners.renewSecret(learner);
  }

  /** @throws QuaysideError SECRET_WRONG, TOO_MANY_TRIES */
  signInInstructor(address: string, secret: string): void {
    this.#attempts.ask(address);
    if (this.isInstructor(secret)) return;
    this.#attempts.missed(address);
    throw new QuaysideError(
      'SECRET_WRONG',
      'That is not the instructor’s secret.',
      'It was printed when this class was first started. If it is lost: npm start -- --class … --new-secret',
    );
  }

  isInstructor(secret: string): boolean {
    return tokensEqual(tokenHash(normalizeSpokenCode(secret)), this.#instructorHash);
  }
}

const OUT: Readonly<Record<Retired, () => QuaysideError>> = {
  replaced: () =>
    new QuaysideError(
      'LINK_REPLACED',
      'Your personal link was replaced by a new one.',
      'Open the new one, which your instructor has for you: it leads to your own hosts and progress.',
    ),
  removed: () =>
    new QuaysideError(
      'LEARNER_REMOVED',
      'You were removed from the class, and your hosts and progress with you.',
      'Ask your instructor if that was a mistake. With the code you can join again, as a new learner.',
    ),
};

function nameTaken(name: string): QuaysideError {
  return new QuaysideError(
    'NAME_TAKEN',
    `Somebody named ${name} is in this class already.`,
    'If that is you, open your personal link. If not, add a letter of your surname.',
  );
}
