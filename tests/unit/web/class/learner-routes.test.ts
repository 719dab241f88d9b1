import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ErrorBody, JoinedView } from '#protocol';
import { AttemptLimiter } from '../../../../server/class/attempt-limiter.ts';
import { Class } from '../../../../server/class/class.ts';
import { CLASS_NAME, classStage, cookieOf } from './stage.ts';

const SESSION = '/api/labs/docker-networking/session';

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as ErrorBody).code;
}

describe('joining', () => {
  test('with code and name makes a learner with a cookie and a personal link', async () => {
    await using web = await classStage();
    const answer = await web.send('POST', '/api/class/join', { code: web.room.code, name: 'Ada' });
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()[0]).toMatch(
      new RegExp(
        `^quayside_${web.port}=.{43}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Strict$`,
      ),
    );
    const { name, link } = (await answer.json()) as JoinedView;
    expect(name).toBe('Ada');
    expect(link).toMatch(/^\/join\/#me=.{43}$/);
    const cookie = cookieOf(answer);
    expect((await web.send('GET', SESSION, undefined, { cookie })).status).toBe(200);
    expect(await (await web.send('GET', '/api/class', undefined, { cookie })).json()).toEqual({
      mode: 'class',
      name: CLASS_NAME,
      me: { name: 'Ada' },
      instructor: false,
    });
    expect(await (await web.send('GET', '/api/class/me', undefined, { cookie })).json()).toEqual({
      name: 'Ada',
      link,
    });
  });

  test('forgives capitals, dashes and spaces in the code', async () => {
    await using web = await classStage();
    const code = ` ${web.room.code.toLowerCase().replace('-', ' ')} `;
    expect((await web.send('POST', '/api/class/join', { code, name: 'Ada' })).status).toBe(200);
  });

  test.each(['', 'XXXX-XXXX', '2', '____-____'])('is refused with the code %j', async (code) => {
    await using web = await classStage();
    const answer = await web.send('POST', '/api/class/join', { code, name: 'Ada' });
    expect([answer.status, await codeOf(answer)]).toEqual([403, 'CODE_WRONG']);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(web.room.members).toEqual([]);
  });

  test.each([
    ['', 'NAME_INVALID'],
    ['   ', 'NAME_INVALID'],
    ['x'.repeat(41), 'NAME_INVALID'],
    ['Ada\u202eevil', 'NAME_INVALID'],
    ['\u200b\u200b', 'NAME_INVALID'],
    ['- . -', 'NAME_INVALID'],
    ['grace', 'NAME_TAKEN'],
    ['  GRACE ', 'NAME_TAKEN'],
  ])('is refused under the name %j', async (name, code) => {
    await using web = await classStage();
    await web.join('Grace');
    const answer = await web.send('POST', '/api/class/join', { code: web.room.code, name });
    expect(await codeOf(answer)).toBe(code);
    expect(web.room.members).toHaveLength(1);
  });

  test('ends when the class is full', async () => {
    await using web = await classStage({ learnersMost: 2 });
    await web.join('Ada');
    await web.join('Grace');
    const answer = await web.send('POST', '/api/class/join', { code: web.room.code, name: 'Joan' });
    expect(await codeOf(answer)).toBe('CLASS_FULL');
  });

  test('is impossible with a start token', async () => {
    await using web = await classStage();
    const answer = await web.fetch('/sign-in?token=a-start-token-of-this-test');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('a personal link', () => {
  test('signs another device in as the same learner', async () => {
    await using web = await classStage();
    const joined = await web.send('POST', '/api/class/join', { code: web.room.code, name: 'Ada' });
    const { link } = (await joined.json()) as JoinedView;
    const key = link.split('#me=')[1] ?? '';
    const back = await web.send('POST', '/api/class/return', { key });
    expect(await back.json()).toEqual({ name: 'Ada', link });
    await web.send('GET', SESSION, undefined, { cookie: cookieOf(joined) });
    await web.send('GET', SESSION, undefined, { cookie: cookieOf(back) });
    expect(new Set(web.sessions.asked).size).toBe(1);
  });

  test('of nobody opens nothing', async () => {
    await using web = await classStage();
    for (const key of ['', 'guess', web.room.code, web.secret]) {
      const answer = await web.send('POST', '/api/class/return', { key });
      expect(await codeOf(answer)).toBe('LINK_UNKNOWN');
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test('is not kept: neither file nor log has the secret, nor the instructor’s', async () => {
    await using web = await classStage();
    const cookie = await web.join('Ada');
    await web.instruct();
    const kept = JSON.stringify([
      web.store.learners.members(CLASS_NAME),
      web.store.learners.findClass(CLASS_NAME),
      web.log,
    ]);
    expect(kept).toContain('Ada');
    expect(kept).not.toContain(cookie.split('=')[1]);
    expect(kept).not.toContain(web.secret);
  });
});

describe('guessing', () => {
  test('ends after some mistakes from one address, even for the right code, and comes back with time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const attempts = new AttemptLimiter({ perAddress: { burst: 3, perSecond: 1 } });
    await using web = await classStage({ attempts });
    const guess = (code: string) => web.send('POST', '/api/class/join', { code, name: 'Eve' });
    for (let i = 0; i < 3; i++) expect(await codeOf(await guess('WRONG'))).toBe('CODE_WRONG');
    const refused = await guess(web.room.code);
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'TOO_MANY_TRIES']);
    for (const [path, body] of [
      ['/api/class/return', { key: 'x' }],
      ['/api/class/instructor', { secret: web.secret }],
    ] as const) {
      expect(await codeOf(await web.send('POST', path, body))).toBe('TOO_MANY_TRIES');
    }
    vi.advanceTimersByTime(1_000);
    expect((await guess(web.room.code)).status).toBe(200);
  });

  test('is bounded over all addresses, but for those from which somebody has got in', () => {
    const attempts = new AttemptLimiter({ overall: { burst: 5, perSecond: 0.001 } });
    attempts.hit('192.0.2.77');
    for (let i = 0; i < 5; i++) attempts.missed(`192.0.2.${i}`);
    expect(() => attempts.ask('192.0.2.99')).toThrow('from many places');
    expect(() => attempts.ask('192.0.2.77')).not.toThrow();
  });

  test('takes an IPv6 network for one address, and an IPv4 address for itself however it is written', () => {
    const attempts = new AttemptLimiter({ perAddress: { burst: 1, perSecond: 0.001 } });
    attempts.missed('2001:db8:1:2::1');
    expect(() => attempts.ask('2001:db8:1:2:ffff::9')).toThrow('from your network');
    expect(() => attempts.ask('2001:db8:1:3::1')).not.toThrow();
    attempts.missed('::ffff:192.0.2.1');
    expect(() => attempts.ask('192.0.2.1')).toThrow('from your network');
    expect(() => attempts.ask('192.0.2.2')).not.toThrow();
  });

  test('counts by the address that a trusted proxy names, and by no other', async () => {
    const attempts = () => new AttemptLimiter({ perAddress: { burst: 1, perSecond: 0.01 } });
    const guess = { code: 'WRONG', name: 'Eve' };
    for (const [trustProxy, second] of [
      [['127.0.0.1'], 'CODE_WRONG'],
      [[], 'TOO_MANY_TRIES'],
    ] as const) {
      await using web = await classStage({ attempts: attempts(), trustProxy });
      for (const [address, code] of [
        ['192.0.2.1', 'CODE_WRONG'],
        ['192.0.2.2', second],
      ] as const) {
        const headers = { 'x-forwarded-for': address };
        expect(await codeOf(await web.send('POST', '/api/class/join', guess, headers))).toBe(code);
      }
    }
  });
});

describe('the instructor', () => {
  test('signs in with the secret, and out again', async () => {
    await using web = await classStage();
    const cookie = await web.instruct();
    const view = async () =>
      (await (await web.send('GET', '/api/class', undefined, { cookie })).json()) as object;
    expect(await view()).toMatchObject({ instructor: true });
    const out = await web.send('DELETE', '/api/class/instructor', undefined, { cookie });
    expect(out.headers.getSetCookie()[0]).toContain(`quayside_instructor_${web.port}=;`);
  });

  test('is not let in by a wrong secret, the code, or a learner’s own', async () => {
    await using web = await classStage();
    const learner = (await web.join('Ada')).split('=')[1] ?? '';
    for (const secret of ['', 'wrong', web.room.code, learner]) {
      const answer = await web.send('POST', '/api/class/instructor', { secret });
      expect(await codeOf(answer)).toBe('SECRET_WRONG');
    }
    for (const cookie of [
      `quayside_instructor_${web.port}=${learner}`,
      `quayside_${web.port}=${web.secret}`,
      `quayside_instructor_1=${web.secret}`,
    ]) {
      const answer = await web.send('DELETE', '/api/class/instructor', undefined, { cookie });
      expect(await codeOf(answer)).toBe('NOT_INSTRUCTOR');
    }
  });

  test('keeps secret and code over a restart, and gets new ones on demand', async () => {
    await using web = await classStage();
    const options = { store: web.store, name: CLASS_NAME, learnersMost: 9 };
    await web.join('Ada');
    const again = new Class(options);
    expect([again.code, again.freshSecret]).toEqual([web.room.code, undefined]);
    expect(again.isInstructor(web.secret)).toBe(true);
    const renewed = new Class({ ...options, newSecret: true, newCode: true });
    expect(renewed.isInstructor(web.secret)).toBe(false);
    expect(renewed.isInstructor(renewed.freshSecret ?? '')).toBe(true);
    expect(renewed.code).not.toBe(web.room.code);
    expect(renewed.members.map(({ name }) => name)).toEqual(['Ada']);
  });
});

test('classes are apart: a learner of one is nobody in another, nor without a class', async () => {
  await using web = await classStage();
  const secret = (await web.join('Ada')).split('=')[1] ?? '';
  const other = new Class({ store: web.store, name: 'Another', learnersMost: 9 });
  expect(web.room.member(secret)?.name).toBe('Ada');
  expect(other.member(secret)).toBeUndefined();
  expect(other.isInstructor(web.secret)).toBe(false);
  expect(web.store.learners.find(secret)).toBeUndefined();
});

test('a learner who is removed leaves nothing behind', async () => {
  await using web = await classStage();
  const secret = (await web.join('Ada')).split('=')[1] ?? '';
  const learner = web.room.member(secret)?.learner ?? '';
  const session = web.store.session(learner, 'lab');
  session.journal.pass({ check: 'port', at: 1, about: 'state', assisted: false });
  session.addTerminal({ id: 't', host: 'h', title: 'h' });
  web.store.removeLearner(learner);
  expect(web.room.member(secret)).toBeUndefined();
  expect(session.journal.passes.size).toBe(0);
  expect(session.terminals).toEqual([]);
});

test('cookies are for https alone where browsers come by https', async () => {
  await using web = await classStage({ origins: ['https://labs.example.org'] });
  const there = { host: 'labs.example.org', origin: 'https://labs.example.org' };
  const body = { code: web.room.code, name: 'Ada' };
  const sent = await web.app.inject({
    method: 'POST',
    url: '/api/class/join',
    headers: there,
    body,
  });
  expect(sent.headers['set-cookie']).toContain('Secure');
  const plain = await web.send('POST', '/api/class/join', { ...body, name: 'Grace' });
  expect(plain.headers.getSetCookie()[0]).not.toContain('Secure');
});
