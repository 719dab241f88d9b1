import { fastifyCookie } from '@fastify/cookie';
import type { ClassView, JoinedView } from '#protocol';
import type { Class, Joined } from '../../class/class.ts';
import type { Roster } from '../../class/roster.ts';
import { type Api, answers, answersNothing } from '../schemas.ts';
import { cookieName, setLastingCookie } from '../sign-in.ts';
import { CLASS_ANSWERS, CLASS_REQUESTS } from './class-schemas.ts';

/** What signing in to a class needs of the edge. */
export interface AuthRouteOptions {
  readonly roster: Roster;
  readonly port: () => number;
  /** Whether browsers that name the server so speak https to it. */
  readonly isSecure: (host: string) => boolean;
}

const PUBLIC = { public: true } as const;

const VIEW_SCHEMA = {
  security: [],
  ...answers('Whether this is a class, and who is at this browser', CLASS_ANSWERS.Class),
};

/** A course's length or so, in seconds: the instructor's powers are worth signing in for again. */
const INSTRUCTOR_COOKIE_SECONDS = 30 * 24 * 60 * 60;

/** The instructor's cookie. A learner's has another name and is looked up elsewhere, so neither is ever the other. */
export function instructorCookieName(port: number): string {
  return `quayside_instructor_${port}`;
}

/** Whether a request's `Cookie` header is the instructor's. The only way to it, for HTTP and for sockets. */
export function isInstructor(header: string | undefined, port: number, classroom: Class): boolean {
  const secret =
    header === undefined ? undefined : fastifyCookie.parse(header)[instructorCookieName(port)];
  return secret !== undefined && secret !== '' && classroom.isInstructor(secret);
}

/** A personal link. The secret stands behind the `#`, which browsers send to no server and name to no other page. */
export function personalLink(secret: string): string {
  return `/join/#me=${secret}`;
}

/** Where there is no class: pages ask, and are told so. */
export function addNoClass(app: Api): void {
  app.get(
    '/api/class',
    { config: PUBLIC, schema: VIEW_SCHEMA },
    (): ClassView => ({ mode: 'single' }),
  );
}

/** Signing in to a class: with its code, with a personal link, and with the instructor's secret. */
export function addAuthRoutes(app: Api, { roster, port, isSecure }: AuthRouteOptions): void {
  const { classroom } = roster;

  app.get('/api/class', { config: PUBLIC, schema: VIEW_SCHEMA }, ({ headers }): ClassView => {
    const me = classroom.member(secretIn(headers.cookie, port()));
    return {
      mode: 'class',
      name: classroom.name,
      ...(me && { me: { name: me.name } }),
      instructor: isInstructor(headers.cookie, port(), classroom),
    };
  });

  app.post(
    '/api/class/join',
    {
      config: PUBLIC,
      schema: {
        security: [],
        body: CLASS_REQUESTS.join,
        ...answers('Join the class', CLASS_ANSWERS.Joined),
      },
    },
    ({ ip, body, headers }, reply) => {
      const joined = classroom.join(ip, body.code, body.name);
      roster.entry(joined.member.learner);
      setLastingCookie(reply, cookieName(port()), joined.secret, isSecure(headers.host ?? ''));
      return joinedView(joined);
    },
  );

  app.post(
    '/api/class/return',
    {
      config: PUBLIC,
      schema: {
        security: [],
        body: CLASS_REQUESTS.key,
        ...answers('Come back by a personal link', CLASS_ANSWERS.Joined),
      },
    },
    ({ ip, body, headers }, reply) => {
      const joined = classroom.return(ip, body.key);
      setLastingCookie(reply, cookieName(port()), joined.secret, isSecure(headers.host ?? ''));
      return joinedView(joined);
    },
  );

  app.post(
    '/api/class/instructor',
    {
      config: PUBLIC,
      schema: {
        security: [],
        body: CLASS_REQUESTS.secret,
        ...answersNothing('Sign in as the instructor'),
      },
    },
    async ({ ip, body, headers }, reply) => {
      classroom.signInInstructor(ip, body.secret);
      setLastingCookie(
        reply,
        instructorCookieName(port()),
        body.secret,
        isSecure(headers.host ?? ''),
        INSTRUCTOR_COOKIE_SECONDS,
      );
      return reply.code(204).send();
    },
  );

  app.delete(
    '/api/class/instructor',
    {
      config: { instructor: true },
      schema: answersNothing('Sign this browser out as the instructor'),
    },
    async (_request, reply) => {
      reply.clearCookie(instructorCookieName(port()), { path: '/' });
      return reply.code(204).send();
    },
  );
}

/** The secret that a learner's `Cookie` header carries; empty where there is none. */
export function secretIn(header: string | undefined, port: number): string {
  return fastifyCookie.parse(header ?? '')[cookieName(port)] ?? '';
}

function joinedView({ member, secret }: Joined): JoinedView {
  return { name: member.name, link: personalLink(secret) };
}
