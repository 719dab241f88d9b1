import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ErrorBody } from '#protocol';
import { QuaysideError } from '../../../server/base/errors.ts';
import { cookieOf } from './class/stage.ts';
import { LAB, START_TOKEN, type Stage, stage, TERMINAL } from './stage.ts';

const SESSION = `/api/labs/${LAB}/session`;

async function send(web: Stage, cookie: string, method: string, path: string, body?: unknown) {
  return web.fetch(path, {
    method,
    headers: {
      cookie,
      origin: web.origin,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

describe('signing in', () => {
  test('with the start token gives a cookie that scripts cannot read and other sites cannot send', async () => {
    await using web = await stage();
    const answer = await web.fetch(`/sign-in?token=${START_TOKEN}`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toEqual([
      `quayside_${web.port}=secret-of-browser1; Max-Age=31536000; Path=/; HttpOnly; SameSite=Strict`,
    ]);
  });

  test('again in the same browser keeps its learner', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const again = await web.fetch(`/sign-in?token=${START_TOKEN}`, { headers: { cookie } });
    expect(again.status).toBe(303);
    expect(again.headers.getSetCookie()).toEqual([]);
  });

  test('in another browser, or by a link on another site, is the same learner', async () => {
    await using web = await stage();
    const path = `/sign-in?token=${START_TOKEN}`;
    for (const answer of [await web.fetch(path), await web.fetch(path)]) {
      await send(web, cookieOf(answer), 'GET', SESSION);
    }
    expect(web.sessions.asked).toEqual(['snapshot person', 'snapshot person']);
    expect(web.learners.secrets.size).toBe(2);
  });

  test('as a new learner is for programs that want several', async () => {
    await using web = await stage();
    for (const cookie of [await web.signIn(), await web.signIn()]) {
      await send(web, cookie, 'GET', SESSION);
    }
    expect(web.sessions.asked).toEqual(['snapshot learner1', 'snapshot learner2']);
  });

  test('with a cookie from another server or time makes a new learner', async () => {
    await using web = await stage();
    const headers = { cookie: `quayside_${web.port}=old` };
    const answer = await web.fetch(`/sign-in?token=${START_TOKEN}`, { headers });
    expect(answer.headers.getSetCookie()).toHaveLength(1);
  });

  test.each([
    '',
    '?token=',
    '?token=guess',
    `?token=${START_TOKEN}x`,
    `?token=${START_TOKEN.slice(1)}`,
    `?Token=${START_TOKEN}`,
  ])('with %j says what to open instead, and gives nothing', async (query) => {
    await using web = await stage();
    const cookie = await web.signIn();
    const answer = await web.fetch(`/sign-in${query}`, { headers: { cookie } });
    expect(answer.status).toBe(401);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.text()).toContain('npm start');
    expect(web.learners.secrets.size).toBe(1);
  });
});

describe('a request', () => {
  test.each([
    ['GET', SESSION, undefined, 'snapshot'],
    ['POST', SESSION, undefined, 'start'],
    ['DELETE', SESSION, undefined, 'end'],
    ['POST', `${SESSION}/reset`, undefined, 'reset'],
    ['POST', `${SESSION}/extend`, undefined, 'extend'],
    ['POST', `${SESSION}/activity`, undefined, 'touch'],
    ['POST', `/api/labs/${LAB}/hosts/agent01/restart`, undefined, 'restartHost agent01'],
    ['POST', `/api/labs/${LAB}/terminals`, { host: 'server01' }, 'openTerminal'],
    ['POST', `/api/labs/${LAB}/answers/the-port`, { text: '32768' }, 'answer'],
    ['POST', `/api/labs/${LAB}/visits`, { url: '10.1.10.11' }, 'visit'],
    ['POST', `/api/labs/${LAB}/steps/myapp2-runs/do`, undefined, 'doStep'],
    ['POST', `/api/labs/${LAB}/start-from`, { page: 'a' }, 'startFrom {"page":"a"}'],
    ['POST', `/api/labs/${LAB}/start-from`, { step: 'b' }, 'startFrom {"step":"b"}'],
    ['DELETE', `/api/labs/${LAB}/guide`, undefined, 'stopGuide'],
  ])('%s %s reaches the session of whoever asks', async (method, path, body, asked) => {
    await using web = await stage();
    await web.signIn();
    const cookie = await web.signIn();
    const answer = await send(web, cookie, method, path, body);
    const isMute = ['touch', 'restartHost agent01'].includes(asked);
    expect(answer.status).toBe(isMute ? 204 : 200);
    expect(web.sessions.asked[0]).toBe(`${asked} learner2`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('to close a terminal answers with nothing, and cannot close another learner’s', async () => {
    await using web = await stage();
    const mine = await web.signIn();
    const other = await web.signIn();
    await send(web, mine, 'POST', `/api/labs/${LAB}/terminals`, { host: 'server01' });
    const path = `/api/labs/${LAB}/terminals/${TERMINAL}`;
    const refused = await send(web, other, 'DELETE', path);
    expect([refused.status, await refused.json()]).toMatchObject([
      404,
      { code: 'TERMINAL_UNKNOWN' },
    ]);
    const closed = await send(web, mine, 'DELETE', path);
    expect([closed.status, await closed.text()]).toEqual([204, '']);
  });

  test('for the labs brings each with the learner’s n of m', async () => {
    await using web = await stage();
    const answer = await send(web, await web.signIn(), 'GET', '/api/labs');
    expect(await answer.json()).toEqual([
      { name: LAB, title: 'Docker Networking', passed: 1, checks: 2, state: 'none' },
    ]);
  });

  test.each([
    ['a lab that there is not', 'GET', '/api/labs/nosuch/session', undefined, 404, 'LAB_UNKNOWN'],
    [
      'a host that there is not',
      'POST',
      `/api/labs/${LAB}/terminals`,
      { host: 'x' },
      404,
      'HOST_UNKNOWN',
    ],
    ['a path that there is not', 'GET', '/api/nosuch', undefined, 404, 'NOT_FOUND'],
    ['a method that there is not', 'PUT', SESSION, undefined, 404, 'NOT_FOUND'],
    ['a lab by no name', 'GET', '/api/labs/..%2f..%2fetc/session', undefined, 400, 'BAD_REQUEST'],
    [
      'a lab by a long name',
      'GET',
      `/api/labs/${'a'.repeat(500)}/session`,
      undefined,
      404,
      'NOT_FOUND',
    ],
    ['a path of broken encoding', 'GET', '/api/labs/%zz/session', undefined, 400, 'BAD_REQUEST'],
    [
      'a step that there is not',
      'POST',
      `/api/labs/${LAB}/steps/nosuch/do`,
      undefined,
      404,
      'STEP_UNKNOWN',
    ],
    [
      'a start from two places',
      'POST',
      `/api/labs/${LAB}/start-from`,
      { page: 'a', step: 'b' },
      400,
      'BAD_REQUEST',
    ],
    [
      'a start with a command',
      'POST',
      `/api/labs/${LAB}/start-from`,
      { page: 'a', command: 'ls' },
      400,
      'BAD_REQUEST',
    ],
    ['a host as a number', 'POST', `/api/labs/${LAB}/terminals`, { host: 1 }, 400, 'BAD_REQUEST'],
    ['no host', 'POST', `/api/labs/${LAB}/terminals`, {}, 400, 'BAD_REQUEST'],
    ['no body', 'POST', `/api/labs/${LAB}/terminals`, undefined, 400, 'BAD_REQUEST'],
    [
      'a command of its own',
      'POST',
      `/api/labs/${LAB}/terminals`,
      { host: 'server01', command: 'sh' },
      400,
      'BAD_REQUEST',
    ],
    [
      'a host with a path in it',
      'POST',
      `/api/labs/${LAB}/terminals`,
      { host: '../x' },
      400,
      'BAD_REQUEST',
    ],
    [
      'an endless answer',
      'POST',
      `/api/labs/${LAB}/answers/a`,
      { text: 'x'.repeat(501) },
      400,
      'BAD_REQUEST',
    ],
    [
      'an endless address',
      'POST',
      `/api/labs/${LAB}/visits`,
      { url: 'x'.repeat(2049) },
      400,
      'BAD_REQUEST',
    ],
    ['broken JSON', 'POST', `/api/labs/${LAB}/visits`, '{"url":', 400, 'BAD_REQUEST'],
    [
      'JSON for the prototype',
      'POST',
      `/api/labs/${LAB}/visits`,
      '{"__proto__":{},"url":"a"}',
      400,
      'BAD_REQUEST',
    ],
    [
      'a body past all measure',
      'POST',
      `/api/labs/${LAB}/visits`,
      { url: 'x'.repeat(20_000) },
      413,
      'TOO_LARGE',
    ],
  ])(
    'with %s is refused with code, sentence and remedy',
    async (_what, method, path, body, status, code) => {
      await using web = await stage();
      const answer = await send(web, await web.signIn(), method, path, body);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      const refusal = (await answer.json()) as ErrorBody;
      expect([answer.status, refusal.code]).toEqual([status, code]);
      expect(Object.keys(refusal)).toEqual(['code', 'message', 'remedy']);
      expect(refusal.message).toMatch(/\.$/);
    },
  );

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/json',
  ])('with a body of type %s is refused, as any page could send it', async (type) => {
    await using web = await stage();
    const answer = await web.fetch(`/api/labs/${LAB}/visits`, {
      method: 'POST',
      headers: { cookie: await web.signIn(), origin: web.origin, 'content-type': type },
      body: '{"url":"10.1.10.11"}',
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'BAD_REQUEST' }]);
  });

  test('that meets a refusal of ours is told it word for word', async () => {
    await using web = await stage();
    web.sessions.fault = new QuaysideError('ENGINE_MISSING', 'No engine answers.', 'Start it.');
    const answer = await send(web, await web.signIn(), 'POST', SESSION);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { code: 'ENGINE_MISSING', message: 'No engine answers.', remedy: 'Start it.' },
    ]);
  });

  test('that meets a defect of ours learns nothing of its inside', async () => {
    await using web = await stage();
    web.sessions.fault = new Error('SQLITE_CORRUPT at /root/secret.db');
    const answer = await send(web, await web.signIn(), 'POST', SESSION);
    const text = await answer.text();
    expect([answer.status, JSON.parse(text)]).toMatchObject([500, { code: 'INTERNAL' }]);
    expect(text).not.toContain('secret');
  });

  test('that meets a defect of ours is in the log, without its secrets', async () => {
    await using web = await stage();
    web.sessions.fault = new Error('the store is gone');
    const cookie = await web.signIn();
    await send(web, cookie, 'POST', `/api/labs/${LAB}/visits?token=in-the-query`, {
      url: 'in-body',
    });
    expect(web.log).toHaveLength(1);
    expect(JSON.parse(web.log[0] ?? '')).toMatchObject({
      err: { message: 'the store is gone' },
      req: { method: 'POST', path: `/api/labs/${LAB}/visits` },
    });
    for (const secret of ['in-the-query', 'in-body', cookie.split('=')[1] ?? '']) {
      expect(web.log.join()).not.toContain(secret);
    }
  });

  test('that is refused is no news for the log', async () => {
    await using web = await stage();
    await web.fetch('/api/labs');
    await web.fetch('/sign-in?token=guess');
    expect(web.log).toEqual([]);
  });

  test('that is no HTTP is turned away', async () => {
    await using web = await stage();
    const socket = connect(web.port, '127.0.0.1', () =>
      socket.end('\u0016\u0003\u0001 hello\r\n\r\n'),
    );
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('every answer', () => {
  test.each(['/healthz', '/api/labs', '/api/nosuch', '/', '/%zz', '/sign-in'])(
    '(%s) forbids guessing, framing, and reading by others',
    async (path) => {
      await using web = await stage();
      const { headers } = await web.fetch(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.has('access-control-allow-origin')).toBe(false);
      expect(headers.has('x-powered-by')).toBe(false);
    },
  );
});

describe('/healthz', () => {
  test('answers 200 while the server can serve', async () => {
    await using web = await stage();
    const answer = await web.fetch('/healthz');
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true }]);
  });

  test('answers 503 with the reason while it cannot', async () => {
    await using web = await stage({ health: async () => ({ ok: false, reason: 'No engine.' }) });
    const answer = await web.fetch('/healthz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ok: false, reason: 'No engine.' },
    ]);
  });
});

test('/healthz answers 503 where even asking fails', async () => {
  await using web = await stage({ health: () => Promise.reject(new Error('No socket.')) });
  const answer = await web.fetch('/healthz');
  expect([answer.status, await answer.json()]).toEqual([503, { ok: false, reason: 'No socket.' }]);
});

describe('/api/openapi.json', () => {
  interface Operation {
    readonly summary?: string;
    readonly requestBody?: object;
    readonly responses: Record<number, { content?: Record<string, { schema: { $ref?: string } }> }>;
  }
  interface OpenApi {
    readonly paths: Record<string, Partial<Record<'get' | 'post' | 'delete', Operation>>>;
    readonly components: { readonly schemas: Record<string, object> };
  }

  async function description(): Promise<OpenApi> {
    await using web = await stage();
    return (await (await web.fetch('/api/openapi.json')).json()) as OpenApi;
  }

  test('describes every request of a page, each with a summary and its answer by name', async () => {
    const { paths, components } = await description();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );
    expect(operations.map(({ name }) => name).sort()).toEqual([
      'DELETE /api/labs/{lab}/guide',
      'DELETE /api/labs/{lab}/hosts/{host}/file',
      'DELETE /api/labs/{lab}/session',
      'DELETE /api/labs/{lab}/terminals/{terminal}',
      'GET /api/class',
      'GET /api/labs',
      'GET /api/labs/{lab}/hosts/{host}/download',
      'GET /api/labs/{lab}/hosts/{host}/file',
      'GET /api/labs/{lab}/hosts/{host}/folder',
      'GET /api/labs/{lab}/session',
      'GET /healthz',
      'GET /sign-in',
      'POST /api/labs/{lab}/answers/{check}',
      'POST /api/labs/{lab}/hosts/{host}/move',
      'POST /api/labs/{lab}/hosts/{host}/restart',
      'POST /api/labs/{lab}/runs',
      'POST /api/labs/{lab}/session',
      'POST /api/labs/{lab}/session/activity',
      'POST /api/labs/{lab}/session/extend',
      'POST /api/labs/{lab}/session/reset',
      'POST /api/labs/{lab}/start-from',
      'POST /api/labs/{lab}/steps/{step}/do',
      'POST /api/labs/{lab}/terminals',
      'POST /api/labs/{lab}/visits',
      'PUT /api/labs/{lab}/hosts/{host}/file',
    ]);
    for (const { name, operation } of operations) {
      expect(operation.summary, name).toBeTruthy();
      const ref = operation.responses[200]?.content?.['application/json']?.schema.$ref;
      if (ref) expect(Object.keys(components.schemas), name).toContain(ref.split('/').at(-1));
    }
    expect(paths['/api/labs/{lab}/visits']?.post?.requestBody).toBeDefined();
  });
});
