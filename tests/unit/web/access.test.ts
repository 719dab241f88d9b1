import { describe, expect, test } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { buildWeb } from '../../../server/web/web.ts';
import { FakeLearners, FakeSessions, LAB, refusalOfSocket, stage, TERMINAL } from './stage.ts';
import { ask, OTHER_NAMES, otherOrigins, routesOf } from './walk.ts';

/** What may be had without login. Whoever adds a route here should be able to say why. */
const PUBLIC = new Set([
  'GET /sign-in',
  'GET /healthz',
  // To this machine alone, or with a token: tried on its own.
  'GET /metrics',
  'GET /api/openapi.json',
  'GET /*',
  // For trying whether links come through. What a stream carries asks who it is, link by link.
  'GET /api/echo',
  'POST /api/echo',
  'POST /api/streams',
  'POST /api/streams/:key',
  // Says that there is no class.
  'GET /api/class',
]);
/** Asks for a key in the path in place of a cookie; tried on its own in the browser pane's tests. */
const KEYED = new Set(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => `${method} /pane/:key/*`),
);

function concrete(url: string): string {
  return url
    .replace(':lab', LAB)
    .replace(':terminal', TERMINAL)
    .replace(':check', 'myapp2-runs')
    .replace(':step', 'myapp2-runs')
    .replace(':host', 'server01')
    .replace(':key', 'A'.repeat(24))
    .replace('*', 'index.html');
}

const SOCKETS = [
  `/api/labs/${LAB}/events`,
  `/api/labs/${LAB}/terminals/${TERMINAL}`,
  // No socket is at these, whether or not there is a page.
  '/',
  '/api/x',
  '/api/labs',
  '/api/class',
  '/healthz',
  '/metrics',
];

const ALL = await routesOf(stage);

test('the walk sees every route that the page needs', () => {
  const urls = ALL.map(({ method, url }) => `${method} ${url}`);
  expect(urls.sort()).toEqual([
    'DELETE /api/labs/:lab/guide',
    'DELETE /api/labs/:lab/hosts/:host/file',
    'DELETE /api/labs/:lab/session',
    'DELETE /api/labs/:lab/terminals/:terminal',
    'DELETE /pane/:key/*',
    'GET /*',
    'GET /api/class',
    'GET /api/echo',
    'GET /api/labs',
    'GET /api/labs/:lab/events',
    'GET /api/labs/:lab/hosts/:host/download',
    'GET /api/labs/:lab/hosts/:host/file',
    'GET /api/labs/:lab/hosts/:host/folder',
    'GET /api/labs/:lab/session',
    'GET /api/labs/:lab/terminals/:terminal',
    'GET /api/openapi.json',
    'GET /healthz',
    'GET /metrics',
    'GET /pane/:key/*',
    'GET /sign-in',
    'OPTIONS /pane/:key/*',
    'PATCH /pane/:key/*',
    'POST /api/echo',
    'POST /api/labs/:lab/answers/:check',
    'POST /api/labs/:lab/events',
    'POST /api/labs/:lab/hosts/:host/move',
    'POST /api/labs/:lab/hosts/:host/restart',
    'POST /api/labs/:lab/runs',
    'POST /api/labs/:lab/session',
    'POST /api/labs/:lab/session/activity',
    'POST /api/labs/:lab/session/extend',
    'POST /api/labs/:lab/session/reset',
    'POST /api/labs/:lab/start-from',
    'POST /api/labs/:lab/steps/:step/do',
    'POST /api/labs/:lab/terminals',
    'POST /api/labs/:lab/terminals/:terminal',
    'POST /api/labs/:lab/visits',
    'POST /api/streams',
    'POST /api/streams/:key',
    'POST /pane/:key/*',
    'PUT /api/labs/:lab/hosts/:host/file',
    'PUT /pane/:key/*',
  ]);
});

describe.each(ALL)('$method $url', ({ method, url }) => {
  const name = `${method} ${url}`;
  const path = concrete(url);

  test('is refused under any other name, signed in or not', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    for (const host of OTHER_NAMES) {
      const named = host.replace('PORT', String(web.port));
      const ours = { cookie, origin: web.origin };
      // As after DNS rebinding: name and origin agree with one another, and with nothing of ours.
      for (const headers of [{}, ours, { cookie, origin: `http://${named}` }]) {
        const answer = await ask(web.port, method, path, { ...headers, host: named });
        expect(answer.status, named).toBe(421);
        // The pane's refusals are pages, for they are seen in its frame.
        if (!KEYED.has(name)) expect(JSON.parse(answer.text)).toMatchObject({ code: 'WRONG_HOST' });
      }
    }
    expect(web.sessions.asked).toEqual([]);
  });

  test('tells no other origin anything', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const headers = { cookie, host: `127.0.0.1:${web.port}`, origin: 'http://evil.example' };
    expect((await ask(web.port, method, path, headers)).cors).toBe(false);
  });
});

describe.each(
  ALL.filter(
    ({ method, url }) => !PUBLIC.has(`${method} ${url}`) && !KEYED.has(`${method} ${url}`),
  ),
)('$method $url', ({ method, url }) => {
  const path = concrete(url);

  test('asks for a login', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const wrong = [
      '',
      `quayside_${web.port}=`,
      `quayside_${web.port}=guess`,
      `quayside_1=${cookie.split('=')[1]}`,
    ];
    for (const each of wrong) {
      const answer = await web.fetch(path, {
        method,
        headers: { cookie: each, origin: web.origin },
      });
      expect(answer.status, each).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'NOT_SIGNED_IN' });
    }
    expect(web.sessions.asked).toEqual([]);
  });
});

describe.each(ALL.filter(({ method, url }) => method !== 'GET' && !KEYED.has(`${method} ${url}`)))(
  '$method $url',
  ({ method, url }) => {
    const path = concrete(url);

    test('asks for our own origin', async () => {
      await using web = await stage();
      const cookie = await web.signIn();
      for (const origin of otherOrigins(web.port)) {
        const headers = { cookie, ...(origin === undefined ? {} : { origin }) };
        const answer = await web.fetch(path, { method, headers });
        expect(answer.status, origin).toBe(403);
        expect(await answer.json()).toMatchObject({ code: 'WRONG_ORIGIN' });
      }
      expect(web.sessions.asked).toEqual([]);
    });
  },
);

test('a WebSocket of the browser pane asks for a key that is known, and for our own name', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const path = `/pane/${'A'.repeat(24)}/http/10.1.10.11/`;
  for (const origin of ['null', web.origin, undefined]) {
    const refusal = await refusalOfSocket(web.socket(path, { origin, cookie }));
    expect(refusal).toEqual({ status: 404, code: 'NOT_FOUND' });
  }
  const elsewhere = web.socket(path, { host: 'evil.example', origin: 'null' });
  expect(await refusalOfSocket(elsewhere)).toEqual({ status: 421, code: 'WRONG_HOST' });
});

describe.each(SOCKETS)('a WebSocket to %s', (path) => {
  test('is refused under another name, signed in or not', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    for (const host of ['evil.example', `evil.example:${web.port}`, '127.0.0.1']) {
      // As after DNS rebinding: name and origin agree with one another, and with nothing of ours.
      const socket = web.socket(path, { host, origin: `http://${host}`, cookie });
      expect(await refusalOfSocket(socket)).toEqual({ status: 421, code: 'WRONG_HOST' });
    }
    expect(web.sessions.asked).toEqual([]);
  });

  test('is refused to another page, and to none', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    for (const origin of [
      undefined,
      'null',
      'http://evil.example',
      `http://127.0.0.1:${web.port}.evil.example`,
      `http://evil.example:${web.port}`,
      `https://127.0.0.1:${web.port}`,
    ]) {
      const refusal = await refusalOfSocket(web.socket(path, { origin, cookie }));
      expect(refusal, origin).toEqual({ status: 403, code: 'WRONG_ORIGIN' });
    }
    expect(web.sessions.asked).toEqual([]);
  });

  test('is refused without a login', async () => {
    await using web = await stage();
    for (const cookie of [undefined, `quayside_${web.port}=guess`, 'a=b']) {
      const refusal = await refusalOfSocket(web.socket(path, { cookie }));
      expect(refusal).toEqual({ status: 401, code: 'NOT_SIGNED_IN' });
    }
    expect(web.sessions.asked).toEqual([]);
  });
});

describe('the names of the server', () => {
  test('are those of this machine alone when it listens there', async () => {
    await using web = await stage();
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const headers = { host: `${host}:${web.port}` };
      expect((await ask(web.port, 'GET', '/healthz', headers)).status).toBe(200);
    }
  });

  test('can be added to, whole and exact', async () => {
    await using web = await stage({ origins: ['https://labs.example.org'] });
    const cookie = await web.signIn();
    const there = { host: 'labs.example.org', cookie };
    const path = `/api/labs/${LAB}/session`;
    const ours = { ...there, origin: 'https://labs.example.org' };
    expect((await ask(web.port, 'POST', path, ours)).status).toBe(200);
    for (const origin of ['http://labs.example.org', 'https://a.labs.example.org']) {
      expect((await ask(web.port, 'POST', path, { ...there, origin })).status).toBe(403);
    }
    expect(
      (await ask(web.port, 'GET', path, { ...there, host: 'labs.example.org:80' })).status,
    ).toBe(421);
  });

  test.each([
    'labs.example.org',
    'https://labs.example.org/',
    'https://*.example.org',
    'ws://a',
    '',
  ])('are refused at the start when %j is among them', async (origin) => {
    const options = {
      sessions: new FakeSessions(),
      background: new Background(() => undefined),
      learners: new FakeLearners(),
      dist: '/nowhere',
      host: '127.0.0.1',
      port: 0,
      startToken: 'x',
      health: () => ({ ok: true }),
    };
    await expect(buildWeb({ ...options, origins: [origin] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
