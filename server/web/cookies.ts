import { fastifyCookie } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import type { Class } from '../class/class.ts';

/** A year, in seconds: progress belongs to the cookie, and a class may come back next term. */
const LEARNER_SECONDS = 365 * 24 * 60 * 60;
/** A course's length or so, in seconds: the instructor's powers are worth signing in for again. */
const INSTRUCTOR_SECONDS = 30 * 24 * 60 * 60;

/** Who is at a browser: each browser that signs in becomes a learner of its own. */
export interface Learners {
  /**
   * Makes a learner. `secret` goes into the browser's cookie and is known nowhere else: whoever keeps learners keeps
   * only a hash of it.
   */
  create(): { readonly learner: string; readonly secret: string };
  /** The learner that a cookie's secret belongs to. */
  find(secret: string): string | undefined;
}

export interface CookieOptions {
  readonly learners: Learners;
  /** The class that is served, if one is. */
  readonly classroom: Class | undefined;
  readonly port: () => number;
  /** Whether browsers that name the server so speak https to it: their cookies then go by nothing else. */
  readonly isSecure: (host: string) => boolean;
}

/**
 * The two cookies that say who is at a browser, for HTTP and for sockets alike. The learner's and the instructor's have
 * two names and are looked up in two places, so neither is ever the other. Cookies know no ports, so two servers on one
 * machine need two names.
 */
export class Cookies {
  readonly #options: CookieOptions;

  constructor(options: CookieOptions) {
    this.#options = options;
  }

  /** The name of a learner's cookie. */
  get name(): string {
    return `quayside_${this.#options.port()}`;
  }

  get #instructorName(): string {
    return `quayside_instructor_${this.#options.port()}`;
  }

  /** The secret in the learner's cookie of a `Cookie` header; empty where there is none. */
  secret(header: string | undefined): string {
    return fastifyCookie.parse(header ?? '')[this.name] ?? '';
  }

  /** The learner that a `Cookie` header speaks for. */
  learner(header: string | undefined): string | undefined {
    const secret = this.secret(header);
    return secret === '' ? undefined : this.#options.learners.find(secret);
  }

  /** Whether a `Cookie` header is the instructor's. */
  isInstructor(header: string | undefined): boolean {
    const secret = fastifyCookie.parse(header ?? '')[this.#instructorName] ?? '';
    return secret !== '' && this.#options.classroom?.isInstructor(secret) === true;
  }

  /** Makes whoever gets the answer a learner. */
  setLearner(reply: FastifyReply, secret: string): void {
    this.#set(reply, this.name, secret, LEARNER_SECONDS);
  }

  /** Makes whoever gets the answer the instructor. */
  setInstructor(reply: FastifyReply, secret: string): void {
    this.#set(reply, this.#instructorName, secret, INSTRUCTOR_SECONDS);
  }

  /** Makes whoever gets the answer the instructor no more. */
  clearInstructor(reply: FastifyReply): void {
    reply.clearCookie(this.#instructorName, { path: '/' });
  }

  #set(reply: FastifyReply, name: string, secret: string, seconds: number): void {
    reply.setCookie(name, secret, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      maxAge: seconds,
      secure: this.#options.isSecure(reply.request.headers.host ?? ''),
    });
  }
}
