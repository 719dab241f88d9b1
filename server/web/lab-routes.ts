import { setImmediate } from 'node:timers/promises';
import type { RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { LabView, SessionSnapshot } from '#protocol';
import { checkView, guideView, labViews, sessionSnapshot, terminalView, visitView } from '#schemas';
import type { LearnerSession, Sessions } from '../session/sessions.ts';
import type { Edge } from './edge.ts';
import { RATE_LIMITS } from './rate-limits.ts';
import { type Api, answers, answersNothing, BODIES, PARAMS } from './schemas.ts';

type OfLab = Pick<FastifyRequest, 'learner'> & { readonly params: { readonly lab: string } };

/** The HTTP requests of a page: see the foot of `protocol/session.ts`. */
export function addLabRoutes(app: Api, { sessions, background }: Edge): void {
  const sessionOf = ({ learner, params }: OfLab) => sessions.of(learner, params.lab);
  /** Returns at once with the session as it then is; events tell the rest. */
  const after =
    (change: (session: LearnerSession) => void | Promise<void>) =>
    async (request: OfLab): Promise<SessionSnapshot> => {
      const session = sessionOf(request);
      await change(session);
      // What takes no more than this turn is in the answer: a sandbox from the pool is ready in it.
      await setImmediate();
      return session.snapshot();
    };
  const lab = '/api/labs/:lab';
  const params = PARAMS.lab;
  const toSession = (summary: string, rateLimit?: RateLimitOptions) => ({
    ...(rateLimit && { config: { rateLimit } }),
    schema: { params, ...answers(summary, sessionSnapshot) },
  });

  app.get(
    '/api/labs',
    { schema: answers('The labs, with this learner’s progress', labViews) },
    ({ learner }) => sessions.labs.map((each) => labView(sessions, learner, each)),
  );
  app.get(`${lab}/session`, toSession('The session as it is'), (request) =>
    sessionOf(request).snapshot(),
  );
  app.post(
    `${lab}/session`,
    toSession('Start, or start again after a failure or an end; idempotent', RATE_LIMITS.start),
    after((session) => session.start()),
  );
  app.delete(
    `${lab}/session`,
    toSession('End it; progress is kept'),
    after((session) => background.run('end a session', () => session.end())),
  );
  app.post(
    `${lab}/session/reset`,
    toSession('A fresh sandbox and no passes', RATE_LIMITS.fresh),
    after((session) => session.reset()),
  );
  app.post(
    `${lab}/start-from`,
    {
      config: { rateLimit: RATE_LIMITS.fresh },
      schema: {
        params,
        body: BODIES.start,
        ...answers(
          'Fresh hosts, with all before a section or a step done on them',
          sessionSnapshot,
        ),
      },
    },
    (request) => after((session) => session.startFrom(request.body))(request),
  );
  app.post(
    `${lab}/steps/:step/do`,
    {
      config: { rateLimit: RATE_LIMITS.steps },
      schema: { params: PARAMS.labAndStep, ...answers('Do a step for the learner', guideView) },
    },
    (request) => sessionOf(request).doStep(request.params.step),
  );
  app.delete(
    `${lab}/guide`,
    {
      schema: {
        params,
        ...answers('Stop what is being done, or put away how it ended', guideView),
      },
    },
    (request) => sessionOf(request).stopGuide(),
  );
  app.post(
    `${lab}/session/extend`,
    toSession('More time before the session ends'),
    after((session) => session.extend()),
  );
  app.post(
    `${lab}/session/activity`,
    {
      schema: {
        params,
        ...answersNothing('Somebody reads a page of this lab, so it is not idle'),
      },
    },
    async (request) => sessionOf(request).touch(),
  );

  app.post(
    `${lab}/terminals`,
    {
      config: { rateLimit: RATE_LIMITS.terminals },
      schema: { params, body: BODIES.host, ...answers('Open a terminal on a host', terminalView) },
    },
    (request) => sessionOf(request).openTerminal(request.body.host),
  );
  app.delete(
    `${lab}/terminals/:terminal`,
    {
      schema: {
        params: PARAMS.labAndTerminal,
        ...answersNothing('Close a terminal; its shell in the host ends'),
      },
    },
    (request) => sessionOf(request).closeTerminal(request.params.terminal),
  );

  app.post(
    `${lab}/answers/:check`,
    {
      config: { rateLimit: RATE_LIMITS.answers },
      schema: {
        params: PARAMS.labAndCheck,
        body: BODIES.answer,
        ...answers('Answer a question', checkView),
      },
    },
    (request) => sessionOf(request).answer(request.params.check, request.body.text),
  );
  app.post(
    `${lab}/visits`,
    {
      config: { rateLimit: RATE_LIMITS.visits },
      schema: {
        params,
        body: BODIES.url,
        ...answers('Open a page in the browser pane', visitView),
      },
    },
    (request) => sessionOf(request).visit(request.body.url),
  );
}

function labView(
  sessions: Sessions,
  learner: string,
  { name, title }: Pick<LabView, 'name' | 'title'>,
): LabView {
  const { checks, status } = sessions.of(learner, name).snapshot();
  const passed = checks.filter((check) => check.state === 'passed').length;
  return { name, title, passed, checks: checks.length, state: status.state };
}
