import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { SessionSnapshot } from '#protocol';
import type { Background } from '../base/background.ts';
import type { LearnerSession, Sessions } from '../session/sessions.ts';
import { RATE_LIMITS } from './rate-limits.ts';
import { ANSWERS, type Api, answers, answersNothing, type LabView, REQUESTS } from './schemas.ts';

/** The HTTP requests of a page: see the foot of `protocol/session.ts`. */
export function addLabRoutes(
  app: Api,
  { sessions, background }: { readonly sessions: Sessions; readonly background: Background },
): void {
  type OfLab = Pick<FastifyRequest, 'learner'> & { readonly params: { readonly lab: string } };
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
  const session = '/api/labs/:lab/session';
  const params = REQUESTS.lab;
  const { SessionSnapshot: snapshot } = ANSWERS;

  app.get(
    '/api/labs',
    { schema: answers('The labs, with this learner’s progress', ANSWERS.Labs) },
    ({ learner }) => sessions.labs.map((lab) => labView(sessions, learner, lab)),
  );
  app.get(
    session,
    { schema: { params, ...answers('The session as it is', snapshot) } },
    (request) => sessionOf(request).snapshot(),
  );
  app.post(
    session,
    {
      config: { rateLimit: RATE_LIMITS.start },
      schema: {
        params,
        ...answers('Start, or start again after a failure or an end; idempotent', snapshot),
      },
    },
    after((session) => session.start()),
  );
  app.delete(
    session,
    { schema: { params, ...answers('End it; progress is kept', snapshot) } },
    after((session) => background.run('end a session', () => session.end())),
  );
  app.post(
    `${session}/reset`,
    {
      config: { rateLimit: RATE_LIMITS.fresh },
      schema: { params, ...answers('A fresh sandbox and no passes', snapshot) },
    },
    after((session) => session.reset()),
  );
  app.post(
    '/api/labs/:lab/start-from',
    {
      config: { rateLimit: RATE_LIMITS.fresh },
      schema: {
        params,
        body: REQUESTS.start,
        ...answers('Fresh hosts, with all before a section or a step done on them', snapshot),
      },
    },
    (request) => after((session) => session.startFrom(request.body))(request),
  );
  app.post(
    '/api/labs/:lab/steps/:step/do',
    {
      config: { rateLimit: RATE_LIMITS.steps },
      schema: {
        params: REQUESTS.labAndStep,
        ...answers('Do a step for the learner', ANSWERS.GuideView),
      },
    },
    (request) => sessionOf(request).doStep(request.params.step),
  );
  app.delete(
    '/api/labs/:lab/guide',
    {
      schema: {
        params,
        ...answers('Stop what is being done, or put away how it ended', ANSWERS.GuideView),
      },
    },
    (request) => sessionOf(request).stopGuide(),
  );
  app.post(
    `${session}/extend`,
    { schema: { params, ...answers('More time before the session ends', snapshot) } },
    after((session) => session.extend()),
  );
  app.post(
    `${session}/activity`,
    {
      schema: {
        params,
        ...answersNothing('Somebody reads a page of this lab, so it is not idle'),
      },
    },
    async (request, reply) => {
      sessionOf(request).touch();
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/labs/:lab/terminals',
    {
      config: { rateLimit: RATE_LIMITS.terminals },
      schema: {
        params,
        body: REQUESTS.host,
        ...answers('Open a terminal on a host', ANSWERS.TerminalView),
      },
    },
    (request) => sessionOf(request).openTerminal(request.body.host),
  );
  app.delete(
    '/api/labs/:lab/terminals/:terminal',
    {
      schema: {
        params: REQUESTS.labAndTerminal,
        ...answersNothing('Close a terminal; its shell in the host ends'),
      },
    },
    async (request, reply) => {
      await sessionOf(request).closeTerminal(request.params.terminal);
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/labs/:lab/answers/:check',
    {
      config: { rateLimit: RATE_LIMITS.answers },
      schema: {
        params: REQUESTS.labAndCheck,
        body: REQUESTS.answer,
        ...answers('Answer a question', ANSWERS.CheckView),
      },
    },
    (request) => sessionOf(request).answer(request.params.check, request.body.text),
  );
  app.post(
    '/api/labs/:lab/visits',
    {
      config: { rateLimit: RATE_LIMITS.visits },
      schema: {
        params,
        body: REQUESTS.url,
        ...answers('Open a page in the browser pane', ANSWERS.VisitView),
      },
    },
    (request) => sessionOf(request).visit(request.body.url),
  );
}

function labView(
  sessions: Sessions,
  learner: string,
  { name, title }: { readonly name: string; readonly title: string },
): LabView {
  const { checks, status } = sessions.of(learner, name).snapshot();
  const passed = checks.filter((check) => check.state === 'passed').length;
  return { name, title, passed, checks: checks.length, state: status.state };
}
