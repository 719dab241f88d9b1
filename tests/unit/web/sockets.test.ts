import { on, once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type WebSocket from 'ws';
import { ECHO_PATH, EVENT_BEAT_MS, type SessionEvent } from '#protocol';
import { QuaysideError } from '../../../server/base/errors.ts';
import { LAB, refusalOfSocket, type Stage, stage, TERMINAL } from './stage.ts';

const EVENTS = `/api/labs/${LAB}/events`;

/** A page's event socket, with everything it was told and has not looked at yet. */
interface Page {
  readonly socket: WebSocket;
  next(): Promise<SessionEvent>;
}

function open(web: Stage, cookie: string): Page {
  const socket = web.socket(EVENTS, { cookie });
  const told = on(socket, 'message');
  return {
    socket,
    next: async () => {
      const { value } = (await told.next()) as { value: [Buffer] };
      return JSON.parse(value[0].toString()) as SessionEvent;
    },
  };
}

function tell(web: Stage, learner: string, event: SessionEvent): void {
  for (const listener of web.sessions.listeners.get(learner) ?? []) listener(event);
}

describe('the event socket', () => {
  test('begins with a snapshot, then tells what changes', async () => {
    await using web = await stage();
    const page = open(web, await web.signIn());
    expect(await page.next()).toMatchObject({ type: 'snapshot', snapshot: { lab: LAB } });
    const change: SessionEvent = { type: 'status', status: { state: 'ended', reason: 'Over.' } };
    tell(web, 'learner1', change);
    expect(await page.next()).toEqual(change);
  });

  test('tells each learner of their own session only', async () => {
    await using web = await stage();
    const one = open(web, await web.signIn());
    const two = open(web, await web.signIn());
    await Promise.all([one.next(), two.next()]);
    expect([...web.sessions.listeners.keys()].sort()).toEqual(['learner1', 'learner2']);
    const heard: unknown[] = [];
    two.socket.on('message', (data) => heard.push(data));
    tell(web, 'learner1', { type: 'values', values: [] });
    expect(await one.next()).toEqual({ type: 'values', values: [] });
    two.socket.ping();
    await once(two.socket, 'pong');
    expect(heard).toEqual([]);
  });

  test('lets go of the session when the page leaves', async () => {
    await using web = await stage();
    const page = open(web, await web.signIn());
    await page.next();
    page.socket.close();
    await expect.poll(() => web.sessions.asked).toContain('unsubscribed learner1');
  });

  test('takes no requests', async () => {
    await using web = await stage();
    const page = open(web, await web.signIn());
    await page.next();
    page.socket.send('{}');
    const [code] = await once(page.socket, 'close');
    expect(code).toBe(1008);
  });

  test('closes on a message past all measure', async () => {
    await using web = await stage();
    const page = open(web, await web.signIn());
    await page.next();
    page.socket.send(Buffer.alloc(1024 * 1024));
    const [code] = await once(page.socket, 'close');
    expect(code).toBe(1009);
  });

  test('lets a page go that shows no sign of life', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await using web = await stage();
    const cookie = await web.signIn();
    const alive = open(web, cookie);
    await alive.next();
    // A page whose machine fell asleep: its connection stands, and nobody answers.
    const dead = connect(web.port, '127.0.0.1');
    dead.write(
      [
        `GET ${EVENTS} HTTP/1.1`,
        `Host: 127.0.0.1:${web.port}`,
        `Origin: ${web.origin}`,
        `Cookie: ${cookie}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n',
      ].join('\r\n'),
    );
    await once(dead, 'data');
    const gone = once(dead.resume(), 'close');
    // One beat more than may be missed.
    for (let beat = 0; beat < 4; beat += 1) {
      const pinged = once(alive.socket, 'ping');
      vi.advanceTimersByTime(EVENT_BEAT_MS);
      await pinged;
      // The answer to a ping of ours comes after the answer to theirs.
      alive.socket.ping();
      await once(alive.socket, 'pong');
    }
    await gone;
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });

  test('says something in every beat: a page cannot see a ping, and takes silence for a dead link', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await using web = await stage();
    const page = open(web, await web.signIn());
    await page.next();
    for (let beat = 0; beat < 3; beat += 1) {
      vi.advanceTimersByTime(EVENT_BEAT_MS);
      expect(await page.next()).toEqual({ type: 'beat' });
    }
    expect(EVENT_BEAT_MS).toBeLessThanOrEqual(10_000);
  });

  test('lets a page go that does not read, and says why', async () => {
    await using web = await stage();
    const page = open(web, await web.signIn());
    await page.next();
    page.socket.pause();
    const event: SessionEvent = {
      type: 'values',
      values: [{ id: 'a', text: 'x'.repeat(100_000) }],
    };
    // Each turn lets the sockets' own buffers fill; the listener goes when ours is full.
    for (
      let sent = 0;
      web.sessions.listeners.get('learner1')?.size === 1 && sent < 10_000;
      sent += 1
    ) {
      tell(web, 'learner1', event);
      await new Promise(setImmediate);
    }
    expect(web.sessions.asked).toContain('unsubscribed learner1');
    page.socket.resume();
    const [code, reason] = (await once(page.socket, 'close')) as [number, Buffer];
    expect(code).toBe(1013);
    expect(reason.toString()).toContain('connect again');
    const again = open(web, await web.signIn());
    expect(await again.next()).toMatchObject({ type: 'snapshot' });
  });
});

describe('a socket', () => {
  test.each([
    ['/api/labs/nosuch/events', 404, 'LAB_UNKNOWN'],
    [`/api/labs/${LAB}/terminals/nosuch`, 404, 'TERMINAL_UNKNOWN'],
    [`/api/labs/${LAB}/terminals/a%2Fb`, 404, 'NOT_FOUND'],
    [`/api/labs/${LAB}/terminals/`, 404, 'NOT_FOUND'],
    [`/api/labs/${LAB}/events/more`, 404, 'NOT_FOUND'],
    ['/healthz', 404, 'NOT_FOUND'],
    ['/', 404, 'NOT_FOUND'],
  ])('to %s is refused before it opens', async (path, status, code) => {
    await using web = await stage();
    const cookie = await web.signIn();
    expect(await refusalOfSocket(web.socket(path, { cookie }))).toEqual({ status, code });
  });

  test('to a terminal of another learner is refused as one that there is not', async () => {
    await using web = await stage();
    await web.signIn();
    const other = await web.signIn();
    web.sessions.terminals.set(TERMINAL, 'learner1');
    const socket = web.socket(`/api/labs/${LAB}/terminals/${TERMINAL}`, { cookie: other });
    expect(await refusalOfSocket(socket)).toEqual({ status: 404, code: 'TERMINAL_UNKNOWN' });
  });

  test('that meets a defect of ours learns nothing of its inside', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    web.sessions.fault = new Error('inside');
    expect(await refusalOfSocket(web.socket(EVENTS, { cookie }))).toEqual({
      status: 500,
      code: 'INTERNAL',
    });
    web.sessions.fault = new QuaysideError('SESSION_NOT_READY', 'Not yet.', 'Wait.');
    expect(await refusalOfSocket(web.socket(EVENTS, { cookie }))).toMatchObject({ status: 409 });
  });

  test('is one of a bounded number for each learner', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const sockets = Array.from({ length: 64 }, () => web.socket(EVENTS, { cookie }));
    await Promise.all(sockets.map((each) => once(each, 'open')));
    expect(await refusalOfSocket(web.socket(EVENTS, { cookie }))).toEqual({
      status: 429,
      code: 'TOO_MANY',
    });
    await open(web, await web.signIn()).next();
    sockets[0]?.terminate();
    await expect.poll(() => web.sessions.asked).toContain('unsubscribed learner1');
    await open(web, cookie).next();
  });

  test('that nobody signs in for has room for a class behind one address', async () => {
    await using web = await stage();
    const sockets = Array.from({ length: 100 }, () => web.socket(ECHO_PATH));
    await Promise.all(sockets.map((each) => once(each, 'open')));
  });

  test('asked for in no words of WebSocket is turned away', async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const socket = connect(web.port, '127.0.0.1');
    socket.write(
      [
        `GET ${EVENTS} HTTP/1.1`,
        `Host: 127.0.0.1:${web.port}`,
        `Origin: ${web.origin}`,
        `Cookie: ${cookie}`,
        'Connection: Upgrade',
        'Upgrade: h2c',
        '\r\n',
      ].join('\r\n'),
    );
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
  });
});

describe('a server that stops', () => {
  test('says goodbye on every socket, and cuts one that does not listen', async () => {
    const web = await stage();
    const cookie = await web.signIn();
    const polite = open(web, cookie);
    const deaf = open(web, cookie);
    await Promise.all([polite.next(), deaf.next()]);
    deaf.socket.pause();
    const goodbye = once(polite.socket, 'close');
    await web[Symbol.asyncDispose]();
    const [code, reason] = await goodbye;
    expect(code).toBe(1001);
    expect(String(reason)).toContain('your hosts and your work stay');
    deaf.socket.terminate();
  });

  test('that removes the hosts promises no learner that they stay', async () => {
    const web = await stage({ clean: true });
    const page = open(web, await web.signIn());
    await page.next();
    const goodbye = once(page.socket, 'close');
    await web[Symbol.asyncDispose]();
    expect(String((await goodbye)[1])).toContain('its hosts are removed');
  });
});
