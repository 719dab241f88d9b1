import type { FastifyInstance } from 'fastify';
import type { JoinedView } from '#protocol';
import type { Background } from '../../base/background.ts';
import type { Class } from '../../class/class.ts';
import { progressCsv } from '../../class/progress-csv.ts';
import type { Roster } from '../../class/roster.ts';
import type { Sessions } from '../../session/sessions.ts';
import { answers } from '../schemas.ts';
import { personalLink } from './auth-routes.ts';
import { CLASS_REQUESTS } from './class-schemas.ts';

export interface ClassRouteOptions {
  readonly room: Class;
  readonly roster: Roster;
  readonly sessions: Sessions;
  readonly background: Background;
  /** Cuts every socket of a learner whose secret is no longer theirs. */
  readonly dropSockets: (learner: string) => void;
}

type OneLearner = { Params: { learner: string } };
type OneLab = { Params: { learner: string; lab: string } };

const ENDED = 'Your instructor ended this session. Your progress is kept.';
const EXTENDED = 'Your instructor has given you more time for this lab.';
const RESET = 'Your instructor has put this lab back to its start: you get fresh hosts.';

/** What learners ask of their class, under their own cookie. */
export function addLearnerRoutes(app: FastifyInstance, { roster }: ClassRouteOptions): void {
  app.put<{ Body: { raised: boolean } }>(
    '/api/class/me/hand',
    {
      schema: { body: CLASS_REQUESTS.hand, ...answers('Raise one’s hand, or lower it', undefined) },
    },
    ({ learner, body }, reply) => {
      roster.setHand(learner, body.raised);
      return reply.code(204).send();
    },
  );
  app.put<{ Body: { allowed: boolean } }>(
    '/api/class/me/typing',
    {
      schema: {
        body: CLASS_REQUESTS.typing,
        ...answers('Let the instructor type into terminals they watch, or no more', undefined),
      },
    },
    ({ learner, body }, reply) => {
      roster.setMayType(learner, body.allowed);
      return reply.code(204).send();
    },
  );
}

/** What the instructor may do, under the instructor's cookie and no other. */
export function addInstructorRoutes(app: FastifyInstance, options: ClassRouteOptions): void {
  const { room, roster, sessions, background, dropSockets } = options;
  const config = { instructor: true };
  const learner = '/api/class/learners/:learner';
  const lab = `${learner}/labs/:lab`;
  const one = (summary: string) => ({
    config,
    schema: { params: CLASS_REQUESTS.learner, ...answers(summary, undefined) },
  });
  const oneLab = (summary: string) => ({
    config,
    schema: { params: CLASS_REQUESTS.learnerAndLab, ...answers(summary, undefined) },
  });

  app.post<OneLab>(
    `${lab}/reset`,
    oneLab('Put a learner’s lab back to its start'),
    async (request, reply) => {
      const { params } = request;
      roster.entry(params.learner);
      await sessions.of(params.learner, params.lab).reset();
      roster.sendMessage(RESET, params.learner);
      return reply.code(204).send();
    },
  );
  app.post<OneLab>(
    `${lab}/extend`,
    oneLab('Give a learner more time before the session ends by itself'),
    (request, reply) => {
      const { params } = request;
      roster.entry(params.learner);
      sessions.of(params.learner, params.lab).extend();
      roster.sendMessage(EXTENDED, params.learner);
      return reply.code(204).send();
    },
  );
  app.delete<OneLab>(lab, oneLab('End a learner’s sandbox; progress is kept'), (request, reply) => {
    const { params } = request;
    roster.entry(params.learner);
    const session = sessions.of(params.learner, params.lab);
    background.run('end a session', () => session.end(ENDED));
    return reply.code(204).send();
  });
  app.delete<OneLearner>(`${learner}/hand`, one('Lower a learner’s hand'), ({ params }, reply) => {
    roster.setHand(params.learner, false);
    return reply.code(204).send();
  });
  app.delete<OneLearner>(
    learner,
    one('Remove a learner from the class, with all that is kept of them'),
    ({ params }, reply) => {
      roster.remove(params.learner);
      dropSockets(params.learner);
      return reply.code(204).send();
    },
  );
  app.post<OneLearner>(
    `${learner}/link`,
    {
      config,
      schema: {
        params: CLASS_REQUESTS.learner,
        ...answers('A new personal link; the old one, and its devices, are signed out', 'Joined'),
      },
    },
    ({ params }): JoinedView => {
      const { name } = roster.entry(params.learner).member;
      const secret = room.renewSecret(params.learner);
      dropSockets(params.learner);
      return { name, link: personalLink(secret) };
    },
  );
  app.post<{ Body: { text: string; to?: string } }>(
    '/api/class/messages',
    {
      config,
      schema: {
        body: CLASS_REQUESTS.message,
        ...answers('Say something to all, or to one', undefined),
      },
    },
    ({ body }, reply) => {
      roster.sendMessage(body.text.trim(), body.to);
      return reply.code(204).send();
    },
  );
  app.get(
    '/api/class/progress.csv',
    {
      config,
      schema: { summary: 'Every learner’s progress, a line for each step', response: CSV_RESPONSE },
    },
    (_request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="progress.csv"')
        .send(progressCsv(roster.entries, roster.labs)),
  );
}

const CSV_RESPONSE = {
  200: { description: 'CSV, UTF-8.', content: { 'text/csv': { schema: { type: 'string' } } } },
};
