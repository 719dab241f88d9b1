import { fastifyCookie } from '@fastify/cookie';
import type { FastifyInstance } from 'fastify';
import type { ClassView, JoinedView } from '#protocol';
import type { Class, Entry } from '../../class/class.ts';
import { answers } from '../schemas.ts';
import { cookieName, setLastingCookie } from '../sign-in.ts';
import { CLASS_REQUESTS } from './class-schemas.ts';

/** What the ways into a class need of the edge. */
export interface AuthRouteOptions {
  readonly room: Class;
  /** Somebody has just joined. */
  readonly onJoined: (learner: string) => void;
  readonly port: () => number;
  readonly isSecure: (host: string) => boolean;
}

/** A course's length or so, in seconds: the instructor's powers are worth signing in for again. */
const INSTRUCTOR_COOKIE_SECONDS = 30 * 24 * 60 * 60;

/** The instructor's cookie. A learner's has another name and is looked up elsewhere, so neither is ever the other. */
export function instructorCookieName(port: number): string {
  return `quayside_instructor_${port}`;
}

/** Whether a request's `Cookie` header is the instructor's. The only way to it, for HTTP and for sockets. */
export function isInstructor(header: string | undefined, port: number, room: Class): boolean {
  const secret =
    header === undefined ? undefined : fastifyCookie.parse(header)[instructorCookieName(port)];
  return secret !== undefined && secret !== '' && room.isInstructor(secret);
}

/** A personal link. The secret stands behind the `#`, which browsers send to no server and name to no other page. */
export function personalLink(secret: string): string {
  return `/join/#me=${secret}`;
}

/** Where there is no class: pages ask, and are told so. */
export function addNoClass(app: FastifyInstance): void {
  app.get(
    '/api/class',
    { config: { public: true }, schema: VIEW_SCHEMA },
    (): ClassView => ({
      mode: 'single',
    }),
  );
}

/** The ways into a class: with its code, with a personal link, and with the instructor's secret. */
export function addAuthRoutes(
  app: FastifyInstance,
  { room, port, isSecure, onJoined }: AuthRouteOptions,
): void {
  const door = { config: { public: true } };

  app.get('/api/class', { ...door, schema: VIEW_SCHEMA }, ({ headers }): ClassView => {
    const cookies = fastifyCookie.parse(headers.cookie ?? '');
    const me = room.member(cookies[cookieName(port())] ?? '');
    return {
      mode: 'class',
      name: room.name,
      ...(me && { me: { name: me.name } }),
      instructor: isInstructor(headers.cookie, port(), room),
    };
  });

  app.post<{ Body: { code: string; name: string } }>(
    '/api/class/join',
    {
      ...door,
      schema: { security: [], body: CLASS_REQUESTS.join, ...answers('Join the class', 'Joined') },
    },
    ({ ip, body, headers }, reply): JoinedView => {
      const entry = room.join(ip, body.code, body.name);
      onJoined(entry.member.learner);
      setLastingCookie(reply, cookieName(port()), entry.secret, isSecure(headers.host ?? ''));
      return joinedView(entry);
    },
  );

  app.post<{ Body: { key: string } }>(
    '/api/class/return',
    {
      ...door,
      schema: {
        security: [],
        body: CLASS_REQUESTS.key,
        ...answers('Come back by a personal link', 'Joined'),
      },
    },
    ({ ip, body, headers }, reply): JoinedView => {
      const entry = room.return(ip, body.key);
      setLastingCookie(reply, cookieName(port()), entry.secret, isSecure(headers.host ?? ''));
      return joinedView(entry);
    },
  );

  app.get(
    '/api/class/me',
    { schema: answers('Who this browser is in the class, and the personal link', 'Joined') },
    ({ headers }): JoinedView => {
      const member = room.member(
        fastifyCookie.parse(headers.cookie ?? '')[cookieName(port())] ?? '',
      );
      return { name: member?.name ?? '', link: ownLink(headers.cookie, port()) };
    },
  );

  app.post<{ Body: { secret: string } }>(
    '/api/class/instructor',
    {
      ...door,
      schema: {
        security: [],
        body: CLASS_REQUESTS.secret,
        ...answers('Sign in as the instructor', undefined),
      },
    },
    ({ ip, body, headers }, reply) => {
      room.signInInstructor(ip, body.secret);
      const secure = isSecure(headers.host ?? '');
      setLastingCookie(
        reply,
        instructorCookieName(port()),
        body.secret,
        secure,
        INSTRUCTOR_COOKIE_SECONDS,
      );
      return reply.code(204).send();
    },
  );

  app.delete(
    '/api/class/instructor',
    {
      config: { instructor: true },
      schema: answers('Sign this browser out as the instructor', undefined),
    },
    (_request, reply) => {
      reply.clearCookie(instructorCookieName(port()), { path: '/' });
      return reply.code(204).send();
    },
  );
}

/** A learner asks for their own link; it is made of the cookie that they came with, for the secret is kept nowhere. */
export function ownLink(header: string | undefined, port: number): string {
  return personalLink(fastifyCookie.parse(header ?? '')[cookieName(port)] ?? '');
}

function joinedView({ member, secret }: Entry): JoinedView {
  return { name: member.name, link: personalLink(secret) };
}

const VIEW_SCHEMA = {
  security: [],
  ...answers('Whether this is a class, and who is at this browser', 'Class'),
};
