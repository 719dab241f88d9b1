import { z } from 'zod';
import { joinedView } from '#schemas';
import { QuaysideError } from '../../base/errors.ts';
import { progressCsv } from '../../class/progress-csv.ts';
import type { Roster } from '../../class/roster.ts';
import type { Sessions } from '../../session/sessions.ts';
import type { Edge } from '../edge.ts';
import { type Api, answering, answeringNothing, BODIES, PARAMS } from '../schemas.ts';
import { personalLink, SIGNED_OUT } from './learner-routes.ts';

const ENDED = 'Your instructor ended this session. Your progress is kept.';
const EXTENDED = 'Your instructor has given you more time for this lab.';
const RESET = 'Your instructor has put this lab back to its start: you get fresh hosts.';

const CSV = {
  200: { description: 'CSV, UTF-8.', content: { 'text/csv': { schema: z.string() } } },
} as const;

/** Signing in as the instructor, and what they may do: under the instructor's cookie and no other. */
export function addInstructorRoutes(app: Api, edge: Edge, roster: Roster): void {
  const { sessions, background, cookies, sockets, basePath } = edge;
  const config = { instructor: true } as const;
  const learner = '/api/class/learners/:learner';
  const lab = `${learner}/labs/:lab`;
  const ofLearner = (summary: string) =>
    answeringNothing(summary, { params: PARAMS.learner }, config);
  const ofLab = (summary: string) =>
    answeringNothing(summary, { params: PARAMS.learnerAndLab }, config);
  /** The session of a learner who is in the class. */
  const sessionOf = (params: { readonly learner: string; readonly lab: string }) =>
    sessions.of(roster.entry(params.learner).member.learner, params.lab);

  app.post(
    '/api/class/instructor',
    answeringNothing('Sign in as the instructor', { body: BODIES.secret }, SIGNED_OUT),
    async ({ ip, body }, reply) => {
      roster.classroom.signInInstructor(ip, body.secret);
      cookies.set(reply, 'instructor', body.secret);
    },
  );
  app.delete(
    '/api/class/instructor',
    answeringNothing('Sign this browser out as the instructor', {}, config),
    async (_request, reply) => cookies.clearInstructor(reply),
  );
  app.post(`${lab}/reset`, ofLab('Put a learner’s lab back to its start'), async ({ params }) => {
    await sessionOf(params).reset();
    roster.sendMessage(RESET, params.learner);
  });
  app.post(
    `${lab}/extend`,
    ofLab('Give a learner more time before the session ends by itself'),
    async ({ params }) => {
      sessionOf(params).extend();
      roster.sendMessage(EXTENDED, params.learner);
    },
  );
  app.post(
    `${lab}/hosts/:host/restart`,
    answeringNothing(
      'Restart a host of a learner; its files, images and containers stay',
      { params: PARAMS.learnerLabAndHost },
      config,
    ),
    async ({ params }) => {
      await sessionOf(params).restartHost(params.host);
      roster.sendMessage(`Your instructor has restarted ${params.host}.`, params.learner);
    },
  );
  app.delete(lab, ofLab('End a learner’s sandbox; progress is kept'), async ({ params }) => {
    const session = sessionOf(params);
    background.run('end a session', () => session.end(ENDED));
  });
  app.delete(`${learner}/hand`, ofLearner('Lower a learner’s hand'), async ({ params }) =>
    roster.setHand(params.learner, false),
  );
  app.delete(
    learner,
    ofLearner('Remove a learner from the class, with all that is kept of them'),
    async ({ params }) => {
      roster.remove(params.learner);
      sockets.drop(params.learner);
    },
  );
  app.post(
    `${learner}/link`,
    answering(
      'A new personal link; the old one, and its devices, are signed out',
      joinedView,
      { params: PARAMS.learner },
      config,
    ),
    ({ params }) => {
      const { name } = roster.entry(params.learner).member;
      const secret = roster.classroom.renewSecret(params.learner);
      sockets.drop(params.learner);
      return { name, link: personalLink(secret, basePath) };
    },
  );
  app.post(
    '/api/class/messages',
    answeringNothing('Say something to all, or to one', { body: BODIES.message }, config),
    async ({ body }) => roster.sendMessage(body.text.trim(), body.to),
  );
  const node = '/api/class/nodes/:node';
  const ofNode = (summary: string) => answeringNothing(summary, { params: PARAMS.node }, config);
  app.post(
    `${node}/drain`,
    ofNode('Take a node of the Swarm out of service; learners on it get fresh hosts on another'),
    async ({ params }) => nodesOf(sessions).setInService(params.node, false),
  );
  app.post(
    `${node}/activate`,
    ofNode('Take a node of the Swarm back into service'),
    async ({ params }) => nodesOf(sessions).setInService(params.node, true),
  );
  app.get(
    '/api/class/progress.csv',
    {
      config,
      schema: { summary: 'Every learner’s progress, a line for each step', response: CSV },
    },
    async (_request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="progress.csv"')
        .send(progressCsv(roster.entries, roster.labs)),
  );
}

/** @throws QuaysideError NODE_UNKNOWN where the server has one machine */
function nodesOf({ nodeWatch }: Sessions): NonNullable<Sessions['nodeWatch']> {
  if (nodeWatch) return nodeWatch;
  throw new QuaysideError(
    'NODE_UNKNOWN',
    'This server has one machine and no nodes.',
    'Start it with --swarm on a manager node of a Docker Swarm: npm start -- --class … --swarm',
  );
}
