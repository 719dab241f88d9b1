import { z } from 'zod';
import type { Background } from '../../base/background.ts';
import { progressCsv } from '../../class/progress-csv.ts';
import type { Roster } from '../../class/roster.ts';
import type { Sessions } from '../../session/sessions.ts';
import { type Api, answers, answersNothing } from '../schemas.ts';
import { personalLink } from './auth-routes.ts';
import { CLASS_ANSWERS, CLASS_REQUESTS } from './class-schemas.ts';

export interface InstructorRouteOptions {
  readonly roster: Roster;
  readonly sessions: Sessions;
  readonly background: Background;
  /** Cuts every socket of a learner whose secret is no longer theirs. */
  readonly dropSockets: (learner: string) => void;
}

const ENDED = 'Your instructor ended this session. Your progress is kept.';
const EXTENDED = 'Your instructor has given you more time for this lab.';
const RESET = 'Your instructor has put this lab back to its start: you get fresh hosts.';

const CSV = {
  200: { description: 'CSV, UTF-8.', content: { 'text/csv': { schema: z.string() } } },
} as const;

/** What the instructor may do, under the instructor's cookie and no other. */
export function addInstructorRoutes(app: Api, options: InstructorRouteOptions): void {
  const { roster, sessions, background, dropSockets } = options;
  const config = { instructor: true } as const;
  const learner = '/api/class/learners/:learner';
  const lab = `${learner}/labs/:lab`;
  const oneLearner = (summary: string) => ({
    config,
    schema: { params: CLASS_REQUESTS.learner, ...answersNothing(summary) },
  });
  const oneLab = (summary: string) => ({
    config,
    schema: { params: CLASS_REQUESTS.learnerAndLab, ...answersNothing(summary) },
  });
  /** The session of a learner who is in the class. */
  const sessionOf = (params: { readonly learner: string; readonly lab: string }) =>
    sessions.of(roster.entry(params.learner).member.learner, params.lab);

  app.post(
    `${lab}/reset`,
    oneLab('Put a learner’s lab back to its start'),
    async ({ params }, reply) => {
      await sessionOf(params).reset();
      roster.sendMessage(RESET, params.learner);
      return reply.code(204).send();
    },
  );
  app.post(
    `${lab}/extend`,
    oneLab('Give a learner more time before the session ends by itself'),
    async ({ params }, reply) => {
      sessionOf(params).extend();
      roster.sendMessage(EXTENDED, params.learner);
      return reply.code(204).send();
    },
  );
  app.delete(
    lab,
    oneLab('End a learner’s sandbox; progress is kept'),
    async ({ params }, reply) => {
      const session = sessionOf(params);
      background.run('end a session', () => session.end(ENDED));
      return reply.code(204).send();
    },
  );
  app.delete(`${learner}/hand`, oneLearner('Lower a learner’s hand'), async ({ params }, reply) => {
    roster.setHand(params.learner, false);
    return reply.code(204).send();
  });
  app.delete(
    learner,
    oneLearner('Remove a learner from the class, with all that is kept of them'),
    async ({ params }, reply) => {
      roster.remove(params.learner);
      dropSockets(params.learner);
      return reply.code(204).send();
    },
  );
  app.post(
    `${learner}/link`,
    {
      config,
      schema: {
        params: CLASS_REQUESTS.learner,
        ...answers(
          'A new personal link; the old one, and its devices, are signed out',
          CLASS_ANSWERS.Joined,
        ),
      },
    },
    ({ params }) => {
      const { name } = roster.entry(params.learner).member;
      const secret = roster.classroom.renewSecret(params.learner);
      dropSockets(params.learner);
      return { name, link: personalLink(secret) };
    },
  );
  app.post(
    '/api/class/messages',
    {
      config,
      schema: {
        body: CLASS_REQUESTS.message,
        ...answersNothing('Say something to all, or to one'),
      },
    },
    async ({ body }, reply) => {
      roster.sendMessage(body.text.trim(), body.to);
      return reply.code(204).send();
    },
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
