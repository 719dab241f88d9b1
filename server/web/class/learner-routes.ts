import type { ClassView, JoinedView } from '#protocol';
import { classView, joinedView } from '#schemas';
import type { Joined } from '../../class/class.ts';
import type { Roster } from '../../class/roster.ts';
import type { Edge } from '../edge.ts';
import { bodyOf } from '../http-errors.ts';
import { type Api, answering, answeringNothing, BODIES } from '../schemas.ts';

/** Of routes that are there before one is signed in. */
export const SIGNED_OUT = { public: true } as const;

const WHO = answering(
  'Whether this is a class, and who is at this browser',
  classView,
  {},
  SIGNED_OUT,
);

/** A personal link. The secret stands behind the `#`, which browsers send to no server and name to no other page. */
export function personalLink(secret: string, basePath: string): string {
  return `${basePath}/join/#me=${secret}`;
}

/** Where there is no class: pages ask, and are told so. */
export function addNoClass(app: Api): void {
  app.get('/api/class', WHO, (): ClassView => ({ mode: 'single' }));
}

/** What learners ask of their class: to join, with its code or a personal link, and then under their own cookie. */
export function addLearnerRoutes(app: Api, { cookies, basePath }: Edge, roster: Roster): void {
  const { classroom } = roster;
  const viewOf = ({ member, secret }: Joined): JoinedView => ({
    name: member.name,
    link: personalLink(secret, basePath),
  });

  app.get('/api/class', WHO, ({ headers }): ClassView => {
    const secret = cookies.secret(headers.cookie);
    const me = classroom.member(secret);
    const out = classroom.whyOut(secret);
    return {
      mode: 'class',
      name: classroom.name,
      ...(me && { me: { name: me.name } }),
      ...(out && { out: bodyOf(out) }),
      instructor: cookies.isInstructor(headers.cookie),
    };
  });
  app.post(
    '/api/class/join',
    answering('Join the class', joinedView, { body: BODIES.join }, SIGNED_OUT),
    ({ ip, body }, reply) => {
      const joined = classroom.join(ip, body.code, body.name);
      roster.entry(joined.member.learner);
      cookies.set(reply, 'learner', joined.secret);
      return viewOf(joined);
    },
  );
  app.post(
    '/api/class/return',
    answering('Come back by a personal link', joinedView, { body: BODIES.key }, SIGNED_OUT),
    ({ ip, body }, reply) => {
      const joined = classroom.return(ip, body.key);
      cookies.set(reply, 'learner', joined.secret);
      return viewOf(joined);
    },
  );
  app.get(
    '/api/class/me',
    answering('Who this browser is in the class, and the personal link', joinedView, {}),
    ({ learner, headers }) => {
      // Made of the cookie that came with the request: the secret is kept nowhere.
      const secret = cookies.secret(headers.cookie);
      return viewOf({ member: roster.entry(learner).member, secret });
    },
  );
  app.put(
    '/api/class/me/hand',
    answeringNothing('Raise one’s hand, or lower it', { body: BODIES.hand }),
    async ({ learner, body }) => roster.setHand(learner, body.raised),
  );
  app.put(
    '/api/class/me/typing',
    answeringNothing('Let the instructor type into terminals they watch, or no more', {
      body: BODIES.typing,
    }),
    async ({ learner, body }) => roster.setMayType(learner, body.allowed),
  );
}
