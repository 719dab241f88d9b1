import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LAB, type Stage, stage } from './stage.ts';

const HOST = { host: 'server01' };
const URL_BODY = { url: '10.1.10.11' };

/** What costs something, how often one learner may ask for it, and within how many seconds. */
const LIMITED = [
  [`/session`, undefined, 120, 60],
  [`/session/reset`, undefined, 60, 60],
  [`/start-from`, { page: 'ports' }, 60, 60],
  [`/steps/myapp2-runs/do`, undefined, 60, 60],
  [`/terminals`, HOST, 120, 60],
  [`/answers/myapp2-runs`, { text: '1' }, 120, 60],
  [`/visits`, URL_BODY, 3_000, 600],
] as const;

function poster(web: Stage, cookie: string) {
  return async (path: string, body?: object) =>
    web.app.inject({
      method: 'POST',
      url: `/api/labs/${LAB}${path}`,
      headers: { cookie, origin: web.origin, host: `127.0.0.1:${web.port}` },
      ...(body && { payload: body }),
    });
}

/** Lets the test say what time it is. */
function clock() {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1_000) };
}

describe.each(LIMITED)('POST …%s', (path, body, most, seconds) => {
  test(`may be asked ${most} times in ${seconds} seconds by one learner, and no more`, async () => {
    const time = clock();
    await using web = await stage();
    const [greedy, other] = [await web.signIn(), await web.signIn()];
    const [post, theirs] = [poster(web, greedy), poster(web, other)];
    for (let asked = 0; asked < most; asked += 1) {
      expect((await post(path, body)).statusCode).toBe(200);
    }
    time.pass(seconds - 2);
    const before = [...web.sessions.asked];
    const refused = await post(path, body);
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('2');
    expect(refused.json()).toMatchObject({
      code: 'TOO_MANY',
      remedy: 'Wait 2 seconds, then try again.',
    });
    expect(web.sessions.asked).toEqual(before);
    // A class behind one address: everybody is counted apart.
    expect((await theirs(path, body)).statusCode).toBe(200);
    time.pass(2);
    expect((await post(path, body)).statusCode).toBe(200);
  });
});

test('whoever has reset too often can still end, read, and open a terminal', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const post = poster(web, cookie);
  for (let asked = 0; asked <= 60; asked += 1) await post('/session/reset');
  expect((await post('/session/reset')).statusCode).toBe(429);
  expect((await post('/terminals', HOST)).statusCode).toBe(200);
  const headers = { cookie, origin: web.origin };
  const session = `/api/labs/${LAB}/session`;
  expect((await web.fetch(session, { headers })).status).toBe(200);
  expect((await web.fetch(session, { method: 'DELETE', headers })).status).toBe(200);
});

test('no answer says how much is left', async () => {
  await using web = await stage();
  const answer = await poster(web, await web.signIn())('/session/reset');
  expect(Object.keys(answer.headers).filter((name) => name.includes('ratelimit'))).toEqual([]);
});

test('who is not let in is not counted', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const url = `/api/labs/${LAB}/session/reset`;
  for (let asked = 0; asked < 100; asked += 1) {
    const headers = { cookie, origin: 'http://evil.example', host: `127.0.0.1:${web.port}` };
    expect((await web.app.inject({ method: 'POST', url, headers })).statusCode).toBe(403);
  }
  expect((await poster(web, cookie)('/session/reset')).statusCode).toBe(200);
});
