import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { LabView, SessionSnapshot } from '#protocol';
import {
  checkView,
  guideView,
  labViews,
  runView,
  sessionSnapshot,
  terminalView,
  visitView,
} from '#schemas';
import type { LearnerSession, Sessions } from '../session/sessions.ts';
import type { Edge } from './edge.ts';
import { RATE_LIMITS } from './rate-limits.ts';
import { type Api, answering, answeringNothing, BODIES, PARAMS } from './schemas.ts';

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
  const ofLab = { params: PARAMS.lab };
  const toSession = (summary: string, limit = {}) =>
    answering(summary, sessionSnapshot, ofLab, limit);

  app.get(
    '/api/labs',
    answering('The labs, with this learner’s progress', labViews, {}),
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
    answering(
      'Fresh hosts, with all before a section or a step done on them',
      sessionSnapshot,
      { ...ofLab, body: BODIES.start },
      RATE_LIMITS.fresh,
    ),
    (request) => after((session) => session.startFrom(request.body))(request),
  );
  app.post(
    `${lab}/session/extend`,
    toSession('More time before the session ends'),
    after((session) => session.extend()),
  );
  app.post(
    `${lab}/session/activity`,
    answeringNothing('Somebody reads a page of this lab, so it is not idle', ofLab),
    async (request) => sessionOf(request).touch(),
  );
  app.post(
    `${lab}/steps/:step/do`,
    answering(
      'Do a step for the learner',
      guideView,
      { params: PARAMS.labAndStep },
      RATE_LIMITS.steps,
    ),
    (request) => sessionOf(request).doStep(request.params.step),
  );
  app.delete(
    `${lab}/guide`,
    answering('Stop what is being done, or put away how it ended', guideView, ofLab),
    (request) => sessionOf(request).stopGuide(),
  );
  app.post(
    `${lab}/hosts/:host/restart`,
    answeringNothing(
      'Restart a host, and wait until it is ready; its files, images and containers stay',
      { params: PARAMS.labAndHost },
      RATE_LIMITS.fresh,
    ),
    (request) => sessionOf(request).restartHost(request.params.host),
  );
  app.post(
    `${lab}/terminals`,
    answering(
      'Open a terminal on a host',
      terminalView,
      { ...ofLab, body: BODIES.host },
      RATE_LIMITS.terminals,
    ),
    (request) => sessionOf(request).openTerminal(request.body.host),
  );
  app.delete(
    `${lab}/terminals/:terminal`,
    answeringNothing('Close a terminal; its shell in the host ends', {
      params: PARAMS.labAndTerminal,
    }),
    (request) => sessionOf(request).closeTerminal(request.params.terminal),
  );
  app.post(
    `${lab}/runs`,
    answering(
      'Type a block on a host, in a terminal that is at its prompt',
      runView,
      { ...ofLab, body: BODIES.run },
      RATE_LIMITS.runs,
    ),
    (request) => sessionOf(request).run(request.body),
  );
  app.post(
    `${lab}/answers/:check`,
    answering(
      'Answer a question',
      checkView,
      { params: PARAMS.labAndCheck, body: BODIES.answer },
      RATE_LIMITS.answers,
    ),
    (request) => sessionOf(request).answer(request.params.check, request.body.text),
  );
  app.post(
    `${lab}/visits`,
    answering(
      'Open a page in the browser pane',
      visitView,
      { ...ofLab, body: BODIES.url },
      RATE_LIMITS.visits,
    ),
    (request) => sessionOf(request).visit(request.body.url),
  );
}

function labView(
  sessions: Sessions,
  learner: string,
  { name, title, counted }: Sessions['labs'][number],
): LabView {
  const { checks: all, status } = sessions.of(learner, name).snapshot();
  const checks = all.filter(({ id }) => counted.includes(id));
  const passed = checks.filter((check) => check.state === 'passed').length;
  return { name, title, passed, checks: checks.length, state: status.state };
}
