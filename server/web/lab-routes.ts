import type { FastifyInstance } from 'fastify';
import type { Sessions, Start } from '../session/sessions.ts';
import { answers, type LabView, REQUESTS } from './schemas.ts';

type Lab = { Params: { lab: string } };

/** The HTTP requests of a page: see the foot of `protocol/session.ts`. */
export function addLabs(app: FastifyInstance, sessions: Sessions): void {
  app.get(
    '/api/labs',
    { schema: answers('The labs, with this learner’s progress', 'Labs') },
    (request) => sessions.labs.map((lab) => labView(sessions, request.learner, lab)),
  );

  const session = '/api/labs/:lab/session';
  app.get<Lab>(
    session,
    { schema: { params: REQUESTS.lab, ...answers('The session as it is', 'SessionSnapshot') } },
    (request) => sessions.snapshot(request.learner, request.params.lab),
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
    (request) => sessions.start(request.learner, request.params.lab),
  );
  app.delete<Lab>(
    session,
    {
      schema: { params: REQUESTS.lab, ...answers('End it; progress is kept', 'SessionSnapshot') },
    },
    (request) => sessions.end(request.learner, request.params.lab),
  );
  app.post<Lab>(
    `${session}/reset`,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('A fresh sandbox and no passes', 'SessionSnapshot'),
      },
    },
    (request) => sessions.reset(request.learner, request.params.lab),
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
    ({ learner, params, body }) => sessions.startFrom(learner, params.lab, body),
  );
  app.post<{ Params: { lab: string; step: string } }>(
    '/api/labs/:lab/steps/:step/do',
    {
      schema: { params: REQUESTS.labAndStep, ...answers('Do a step for the learner', 'GuideView') },
    },
    ({ learner, params }) => sessions.doStep(learner, params.lab, params.step),
  );
  app.delete<Lab>(
    '/api/labs/:lab/guide',
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('Stop what is being done, or put away how it ended', 'GuideView'),
      },
    },
    ({ learner, params }) => sessions.stopGuide(learner, params.lab),
  );
  app.post<Lab>(
    `${session}/extend`,
    {
      schema: {
        params: REQUESTS.lab,
        ...answers('More time before the session ends', 'SessionSnapshot'),
      },
    },
    (request) => sessions.extend(request.learner, request.params.lab),
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
      sessions.attend(request.learner, request.params.lab);
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
    ({ learner, params, body }) => sessions.openTerminal(learner, params.lab, body.host),
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
      await sessions.closeTerminal(learner, params.lab, params.terminal);
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
    ({ learner, params, body }) => sessions.answer(learner, params.lab, params.check, body.text),
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
    ({ learner, params, body }) => sessions.visit(learner, params.lab, body.url),
  );
}

function labView(
  sessions: Sessions,
  learner: string,
  { name, title }: { readonly name: string; readonly title: string },
): LabView {
  const { checks, status } = sessions.snapshot(learner, name);
  const passed = checks.filter((check) => check.state === 'passed').length;
  return { name, title, passed, checks: checks.length, state: status.state };
}
