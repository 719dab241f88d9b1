import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SessionSnapshot } from '#protocol';
import type { Background } from '../base/background.ts';
import type { LearnerSession, Sessions, Start } from '../session/sessions.ts';
import { answers, type LabView, REQUESTS } from './schemas.ts';

type Lab = { Params: { lab: string } };

/** The HTTP requests of a page: see the foot of `protocol/session.ts`. */
export function addLabRoutes(
  app: FastifyInstance,
  { sessions, background }: { readonly sessions: Sessions; readonly background: Background },
): void {
  app.get(
    '/api/labs',
    { schema: answers('The labs, with this learner’s progress', 'Labs') },
    (request) => sessions.labs.map((lab) => labView(sessions, request.learner, lab)),
  );

  const sessionOf = ({ learner, params }: FastifyRequest<Lab>) => sessions.of(learner, params.lab);
  /** Returns at once with the session as it then is; events tell the rest. */
  const after =
    (change: (session: LearnerSession) => void | Promise<void>) =>
    async (request: FastifyRequest<Lab>): Promise<SessionSnapshot> => {
      const session = sessionOf(request);
      await change(session);
      // What takes no more than this turn is in the answer: a sandbox from the pool is ready in it.
      await setImmediate();
      return session.snapshot();
    };

  const session = '/api/labs/:lab/session';
  app.get<Lab>(
    session,
    { schema: { params: REQUESTS.lab, ...answers('The session as it is', 'SessionSnapshot') } },
    (request) => sessionOf(request).snapshot(),
  );
  app.post<Lab>(
    session,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers(
          'Start, or start again after a failure or an end; idempotent',
          'SessionSnapshot',
        ),
      },
    },
    after((session) => session.start()),
  );
  app.delete<Lab>(
    session,
    {
      schema: { params: REQUESTS.lab, ...answers('End it; progress is kept', 'SessionSnapshot') },
    },
    after((session) => background.run('end a session', () => session.end())),
  );
  app.post<Lab>(
    `${session}/reset`,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('A fresh sandbox and no passes', 'SessionSnapshot'),
      },
    },
    after((session) => session.reset()),
  );

  app.post<Lab & { Body: Start }>(
    '/api/labs/:lab/start-from',
    {
      schema: {
        params: REQUESTS.lab,
        body: REQUESTS.start,
        ...answers(
          'Fresh hosts, with all before a section or a step done on them',
          'SessionSnapshot',
        ),
      },
    },
    (request) => after((session) => session.startFrom(request.body))(request),
  );
  app.post<{ Params: { lab: string; step: string } }>(
    '/api/labs/:lab/steps/:step/do',
    {
      schema: { params: REQUESTS.labAndStep, ...answers('Do a step for the learner', 'GuideView') },
    },
    ({ learner, params }) => sessions.of(learner, params.lab).doStep(params.step),
  );
  app.delete<Lab>(
    '/api/labs/:lab/guide',
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('Stop what is being done, or put away how it ended', 'GuideView'),
      },
    },
    ({ learner, params }) => sessions.of(learner, params.lab).stopGuide(),
  );
  app.post<Lab>(
    `${session}/extend`,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('More time before the session ends', 'SessionSnapshot'),
      },
    },
    after((session) => session.extend()),
  );
  app.post<Lab>(
    `${session}/activity`,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('Somebody reads a page of this lab, so it is not idle', undefined),
      },
    },
    async (request, reply) => {
      sessionOf(request).touch();
      return reply.code(204).send();
    },
  );

  app.post<Lab & { Body: { host: string } }>(
    '/api/labs/:lab/terminals',
    {
      schema: {
        params: REQUESTS.lab,
        body: REQUESTS.host,
        ...answers('Open a terminal on a host', 'TerminalView'),
      },
    },
    ({ learner, params, body }) => sessions.of(learner, params.lab).openTerminal(body.host),
  );
  app.delete<{ Params: { lab: string; terminal: string } }>(
    '/api/labs/:lab/terminals/:terminal',
    {
      schema: {
        params: REQUESTS.labAndTerminal,
        ...answers('Close a terminal; its shell in the host ends', undefined),
      },
    },
    async ({ learner, params }, reply) => {
      await sessions.of(learner, params.lab).closeTerminal(params.terminal);
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { lab: string; check: string }; Body: { text: string } }>(
    '/api/labs/:lab/answers/:check',
    {
      schema: {
        params: REQUESTS.labAndCheck,
        body: REQUESTS.answer,
        ...answers('Answer a question', 'CheckView'),
      },
    },
    ({ learner, params, body }) => sessions.of(learner, params.lab).answer(params.check, body.text),
  );
  app.post<Lab & { Body: { url: string } }>(
    '/api/labs/:lab/visits',
    {
      schema: {
        params: REQUESTS.lab,
        body: REQUESTS.url,
        ...answers('Open a page in the browser pane', 'VisitView'),
      },
    },
    ({ learner, params, body }) => sessions.of(learner, params.lab).visit(body.url),
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
