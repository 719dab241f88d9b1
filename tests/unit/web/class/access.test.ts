import { describe, expect, test } from 'vitest';
import { LAB, refusalOfSocket, TERMINAL } from '../stage.ts';
import { ask, OTHER_NAMES, otherOrigins, routesOf } from '../walk.ts';
import { type ClassStage, classStage } from './stage.ts';

/** The ways in, each bounded in attempts; whoever adds one here should be able to say why. */
const PUBLIC = new Set([
  'GET /api/class',
  'POST /api/class/join',
  'POST /api/class/return',
  'POST /api/class/instructor',
]);
/** A learner's own. */
const LEARNERS = new Set([
  'GET /api/class/me',
  'GET /api/class/me/events',
  'POST /api/class/me/events',
  'PUT /api/class/me/hand',
  'PUT /api/class/me/typing',
]);
/** Everything else below `/api/class` is the instructor's alone. */
const ALL = (await routesOf(classStage)).filter(({ url }) => url.startsWith('/api/class'));
const LABS = (await routesOf(classStage)).filter(({ url }) => url.startsWith('/api/labs'));

function concrete(url: string): string {
  return url
    .replace(':lab', LAB)
    .replace(':terminal', TERMINAL)
    .replace(':check', 'myapp2-runs')
    .replace(':host', 'server01')
    .replace(':node', 'a1b2c3d4e5f6g7h8i9j0k1l2m')
    .replace(':learner', 'f00dfacef00dface');
}

/** The cookies of everybody who might come, by who they are. */
async function visitors(web: ClassStage) {
  const learner = await web.join('Ada');
  const instructor = await web.instruct();
  const [, ada = ''] = learner.split('=');
  return {
    nobody: ['', `quayside_${web.port}=guess`, `quayside_1=${ada}`],
    learner: [learner, `${learner}; quayside_instructor_${web.port}=${ada}`],
    instructor: [instructor, `${instructor}; quayside_${web.port}=${web.secret}`],
  };
}

test('the walk sees every route of a class', () => {
  expect(ALL.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
    'DELETE /api/class/instructor',
    'DELETE /api/class/learners/:learner',
    'DELETE /api/class/learners/:learner/hand',
    'DELETE /api/class/learners/:learner/labs/:lab',
    'GET /api/class',
    'GET /api/class/learners/:learner/labs/:lab/terminals/:terminal',
    'GET /api/class/me',
    'GET /api/class/me/events',
    'GET /api/class/progress.csv',
    'GET /api/class/roster/events',
    'POST /api/class/instructor',
    'POST /api/class/join',
    'POST /api/class/learners/:learner/labs/:lab/extend',
    'POST /api/class/learners/:learner/labs/:lab/hosts/:host/restart',
    'POST /api/class/learners/:learner/labs/:lab/reset',
    'POST /api/class/learners/:learner/labs/:lab/terminals/:terminal',
    'POST /api/class/learners/:learner/link',
    'POST /api/class/me/events',
    'POST /api/class/messages',
    'POST /api/class/nodes/:node/activate',
    'POST /api/class/nodes/:node/drain',
    'POST /api/class/return',
    'POST /api/class/roster/events',
    'PUT /api/class/me/hand',
    'PUT /api/class/me/typing',
  ]);
  expect(LABS.length).toBeGreaterThan(5);
});

describe.each(ALL)('$method $url', ({ method, url }) => {
  const name = `${method} ${url}`;
  const path = concrete(url);

  test('is refused under any other name, to everybody', async () => {
    await using web = await classStage();
    const { learner, instructor } = await visitors(web);
    for (const host of OTHER_NAMES) {
      const named = host.replace('PORT', String(web.port));
      for (const cookie of [...learner, ...instructor]) {
        const headers = { cookie, origin: `http://${named}`, host: named };
        const answer = await ask(web.port, method, path, headers);
        expect(answer.status, named).toBe(421);
        expect(JSON.parse(answer.text)).toMatchObject({ code: 'WRONG_HOST' });
        expect(answer.cors).toBe(false);
      }
    }
  });

  test('changes nothing for another page, whoever is at the browser', async () => {
    await using web = await classStage();
    const { learner, instructor } = await visitors(web);
    if (method === 'GET') {
      const headers = { host: `127.0.0.1:${web.port}`, origin: 'http://evil.example' };
      expect((await ask(web.port, method, path, headers)).cors).toBe(false);
      return;
    }
    for (const origin of otherOrigins(web.port)) {
      for (const cookie of [...learner, ...instructor]) {
        const headers = { cookie, ...(origin === undefined ? {} : { origin }) };
        const answer = await web.fetch(path, { method, headers });
        expect(answer.status, origin).toBe(403);
        expect(await answer.json()).toMatchObject({ code: 'WRONG_ORIGIN' });
      }
    }
  });

  test('is for those whom it is for', async () => {
    await using web = await classStage();
    const { nobody, learner, instructor } = await visitors(web);
    if (PUBLIC.has(name)) return expect(name).not.toContain(':');
    const isLearners = LEARNERS.has(name);
    const [code, others] = isLearners
      ? ['NOT_JOINED', [...nobody, ...instructor]]
      : ['NOT_INSTRUCTOR', [...nobody, ...learner]];
    for (const cookie of others) {
      const answer = await web.send(method, path, undefined, { cookie });
      expect([answer.status, cookie]).toEqual([401, cookie]);
      expect(await answer.json()).toMatchObject({ code });
    }
    for (const cookie of isLearners ? learner : instructor) {
      expect((await web.send(method, path, undefined, { cookie })).status).not.toBe(401);
    }
  });
});

describe.each(LABS)('in a class, $method $url', ({ method, url }) => {
  test('is a learner’s, and neither the instructor’s nor anybody’s', async () => {
    await using web = await classStage();
    const { nobody, learner, instructor } = await visitors(web);
    // The roster has looked at whoever joined.
    const before = [...web.sessions.asked];
    for (const cookie of [...nobody, ...instructor]) {
      const answer = await web.send(method, concrete(url), undefined, { cookie });
      expect(await answer.json()).toMatchObject({ code: 'NOT_JOINED' });
    }
    expect(web.sessions.asked).toEqual(before);
    for (const cookie of learner) {
      expect((await web.send(method, concrete(url), undefined, { cookie })).status).not.toBe(401);
    }
  });
});

const SOCKETS = {
  me: '/api/class/me/events',
  roster: '/api/class/roster/events',
  terminal: `/api/class/learners/f00dfacef00dface/labs/${LAB}/terminals/${TERMINAL}`,
} as const;

describe.each(Object.entries(SOCKETS))('a WebSocket of a class: %s', (name, path) => {
  test('is refused under other names, to other pages, and to everybody whom it is not for', async () => {
    await using web = await classStage();
    const { nobody, learner, instructor } = await visitors(web);
    for (const cookie of [...learner, ...instructor]) {
      for (const host of ['evil.example', `evil.example:${web.port}`]) {
        const socket = web.socket(path, { host, origin: `http://${host}`, cookie });
        expect(await refusalOfSocket(socket)).toEqual({ status: 421, code: 'WRONG_HOST' });
      }
      for (const origin of [undefined, 'null', 'http://evil.example']) {
        const refusal = await refusalOfSocket(web.socket(path, { origin, cookie }));
        expect(refusal).toEqual({ status: 403, code: 'WRONG_ORIGIN' });
      }
    }
    const isLearners = name === 'me';
    for (const cookie of [...nobody, ...(isLearners ? instructor : learner)]) {
      const refusal = await refusalOfSocket(web.socket(path, { cookie }));
      expect(refusal).toEqual({ status: 401, code: isLearners ? 'NOT_JOINED' : 'NOT_INSTRUCTOR' });
    }
  });
});
