import { fastifyCookie } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import type { QuaysideError } from '../base/errors.ts';
import type { Class } from '../class/class.ts';
import { httpError } from './http-errors.ts';

const DAY_SECONDS = 24 * 60 * 60;
/** The learner's and the instructor's have two names and are looked up in two places, so neither is ever the other. */
const COOKIES = {
  /** For a year: progress belongs to the cookie, and a class may come back next term. */
  learner: { prefix: 'quayside', seconds: 365 * DAY_SECONDS },
  /** For a course's length or so: the instructor's powers are worth signing in for again. */
  instructor: { prefix: 'quayside_instructor', seconds: 30 * DAY_SECONDS },
} as const;

type Who = keyof typeof COOKIES;

/**
 * Who is at a browser. A secret goes into the browser's cookie and is known nowhere else: whoever keeps learners keeps
 * only a hash of it.
 */
export interface Learners {
  /** Signs a browser in as the one learner of a server without a class. @returns its secret */
  signIn(): string;
  /** Makes another learner, for programs that want several. */
  create(): { readonly learner: string; readonly secret: string };
  /** The learner that a cookie's secret belongs to. */
  find(secret: string): string | undefined;
}

export interface CookieOptions {
  readonly learners: Learners;
  /** The class that is served, if one is. */
  readonly classroom: Class | undefined;
  /** The path of another site that this server is below; its other pages get no cookie of ours. */
  readonly basePath: string;
  readonly port: () => number;
  /** Whether browsers that name the server so speak https to it: their cookies then go by nothing else. */
  readonly isSecure: (host: string) => boolean;
}

/** The two cookies that say who is at a browser, for HTTP and for sockets alike. */
export class Cookies {
  readonly #options: CookieOptions;

  constructor(options: CookieOptions) {
    this.#options = options;
  }

  /** A cookie's name. Cookies know no ports, so two servers on one machine need two. */
  name(who: Who): string {
    return `${COOKIES[who].prefix}_${this.#options.port()}`;
  }

  /** The secret that a `Cookie` header carries; empty where there is none. */
  secret(header: string | undefined, who: Who = 'learner'): string {
    return fastifyCookie.parse(header ?? '')[this.name(who)] ?? '';
  }

  /** The learner that a `Cookie` header speaks for. */
  learner(header: string | undefined): string | undefined {
    const secret = this.secret(header);
    return secret === '' ? undefined : this.#options.learners.find(secret);
  }

  /** What is said to whoever sends a `Cookie` header that speaks for nobody. */
  whyNobody(header: string | undefined): QuaysideError {
    const { classroom, basePath } = this.#options;
    if (!classroom) return httpError('NOT_SIGNED_IN');
    return classroom.whyOut(this.secret(header)) ?? httpError('NOT_JOINED', basePath);
  }

  /** Whether a `Cookie` header is the instructor's. */
  isInstructor(header: string | undefined): boolean {
    const secret = this.secret(header, 'instructor');
    return secret !== '' && this.#options.classroom?.isInstructor(secret) === true;
  }

  /** Makes whoever gets the answer a learner, or the instructor. */
  set(reply: FastifyReply, who: Who, secret: string): void {
    reply.setCookie(this.name(who), secret, {
      httpOnly: true,
      sameSite: 'strict',
      path: this.#path,
      maxAge: COOKIES[who].seconds,
      secure: this.#options.isSecure(reply.request.headers.host ?? ''),
    });
  }

  /** Makes whoever gets the answer the instructor no more. */
  clearInstructor(reply: FastifyReply): void {
    reply.clearCookie(this.name('instructor'), { path: this.#path });
  }

  get #path(): string {
    return this.#options.basePath || '/';
  }
}
