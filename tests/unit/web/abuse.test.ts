import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { LAB, type Stage, stage } from './stage.ts';

/*
 * What a broken or hostile client can do to the server, all from this machine: whatever it sends, others are answered
 * meanwhile, and when it is gone, so is all that it took.
 */

const HALF_OPEN = 2_000;
const MIB = 1024 ** 2;
/** Opening and closing thousands takes a few seconds on a busy machine. */
const MANY_MS = 60_000;

const ours = (web: Stage) => `Host: 127.0.0.1:${web.port}\r\n`;

/** A raw connection that sends something and then neither reads nor ends by itself. */
async function send(web: Stage, text: string | Buffer): Promise<Socket> {
  const socket = connect(web.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that the server says until it closes the connection. */
async function answerTo(web: Stage, text: string | Buffer): Promise<string> {
  const socket = await send(web, text);
  let said = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    said += chunk;
  });
  // A connection that is reset has closed like any other; what was said before counts.
  await new Promise((resolve) => socket.once('close', resolve));
  return said;
}

/** Another visitor, who must be served whatever the first one does. */
async function othersAreServed(web: Stage, cookie: string): Promise<void> {
  const answer = await web.fetch(`/api/labs/${LAB}/session`, { headers: { cookie } });
  expect(answer.status).toBe(200);
}

const descriptors = () => readdirSync('/proc/self/fd').length;

test.each([
  ['nothing that is HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['a method that there is not', 'BREW /tea HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  ],
  ['a name broken by a null', 'GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n'],
  ['100 KB of headers', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(17_000)}\r\n`],
  ['a path of 100 KB', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
])('%s is refused and the connection closed', async (_name, text) => {
  await using web = await stage();
  const cookie = await web.signIn();
  const said = await answerTo(web, text);
  // Where more was sent than was read, the answer may be lost in the reset.
  expect(said.split('\r\n', 1)[0]).toMatch(/^(HTTP\/1\.1 4\d\d .*)?$/);
  await othersAreServed(web, cookie);
  expect(web.log).toEqual([]);
});

test('a body beyond the limit is refused, and not read to its end', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const head = `POST /api/labs/${LAB}/visits HTTP/1.1\r\n${ours(web)}Cookie: ${cookie}\r\nOrigin: ${web.origin}\r\nContent-Type: application/json\r\nContent-Length: ${512 * MIB}\r\n\r\n`;
  const said = await answerTo(web, head + 'x'.repeat(64 * 1024));
  expect(said).toMatch(/^HTTP\/1\.1 413 /);
  expect(said).toContain('TOO_LARGE');
  await othersAreServed(web, cookie);
});

test.each([
  ['not JSON', '{'],
  ['a list', '[]'],
  ['a number for a name', '{"host":7}'],
  ['more than is asked for', '{"host":"server01","image":"evil"}'],
  ['a poisoned prototype', '{"__proto__":{"host":"server01"}}'],
  ['nesting a thousand deep', `${'['.repeat(4_000)}${']'.repeat(4_000)}`],
  ['a name with a path in it', '{"host":"../../etc/passwd"}'],
])('a body that is %s is refused', async (_name, body) => {
  await using web = await stage();
  const cookie = await web.signIn();
  const answer = await web.fetch(`/api/labs/${LAB}/terminals`, {
    method: 'POST',
    headers: { cookie, origin: web.origin, 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'BAD_REQUEST' });
  expect(web.sessions.asked.filter((each) => each.startsWith('openTerminal'))).toEqual([]);
  expect(web.log).toEqual([]);
});

test.each([
  ['a length that has no bytes', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4])],
  ['a frame without a mask', Buffer.from([0x81, 0x01, 0x61])],
  ['a reserved opcode', Buffer.from([0x83, 0x80, 1, 2, 3, 4])],
  ['a reserved bit', Buffer.from([0xc1, 0x80, 1, 2, 3, 4])],
  ['a fragmented ping', Buffer.from([0x09, 0x80, 1, 2, 3, 4])],
  ['text that is not UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])],
  ['a going-on of nothing', Buffer.from([0x80, 0x80, 1, 2, 3, 4])],
])('on a WebSocket, %s ends that socket and no other', async (_name, bytes) => {
  await using web = await stage();
  const cookie = await web.signIn();
  const good = web.socket(`/api/labs/${LAB}/events`, { cookie });
  await once(good, 'open');
  const upgrade = `GET /api/labs/${LAB}/events HTTP/1.1\r\n${ours(web)}Origin: ${web.origin}\r\nCookie: ${cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
  const said = await answerTo(web, Buffer.concat([Buffer.from(upgrade), bytes]));
  expect(said).toMatch(/^HTTP\/1\.1 101 /);
  expect(good.readyState).toBe(WebSocket.OPEN);
  expect(web.log).toEqual([]);
  good.close();
  await once(good, 'close');
});

test('an upgrade that is none is refused', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  for (const key of ['', 'Sec-WebSocket-Key: short\r\n']) {
    const said = await answerTo(
      web,
      `GET /api/labs/${LAB}/events HTTP/1.1\r\n${ours(web)}Origin: ${web.origin}\r\nCookie: ${cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${key}\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
  }
  await othersAreServed(web, cookie);
});

test(
  'thousands of half-open connections keep nobody out, and leave nothing behind',
  async () => {
    await using web = await stage();
    const cookie = await web.signIn();
    const before = descriptors();
    const half: Socket[] = [];
    for (let made = 0; made < HALF_OPEN; made += 100) {
      half.push(
        ...(await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            // Some say nothing at all, some stop in the middle of a header, some in the middle of a body.
            send(
              web,
              [
                '',
                'GET / HTTP/1.1\r\nHos',
                `POST / HTTP/1.1\r\n${ours(web)}Content-Length: 9\r\n\r\nx`,
              ][index % 3] ?? '',
            ),
          ),
        )),
      );
    }
    await othersAreServed(web, cookie);
    for (const socket of half) socket.destroy();
    // Both ends are in this process: what is left would be the server's.
    await expect.poll(descriptors).toBeLessThan(before + 20);
    await othersAreServed(web, cookie);
  },
  MANY_MS,
);

test('sockets of one learner have a limit, and another learner is not touched by it', async () => {
  await using web = await stage();
  const [greedy, other] = [await web.signIn(), await web.signIn()];
  const sockets = Array.from({ length: 80 }, () =>
    web.socket(`/api/labs/${LAB}/events`, { cookie: greedy }),
  );
  const outcomes = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on('open', () => resolve('open'));
          socket.on('error', () => resolve('refused'));
        }),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(64);
  const socket = web.socket(`/api/labs/${LAB}/events`, { cookie: other });
  await once(socket, 'open');
  for (const each of [...sockets, socket]) each.terminate();
});

test('a reader that stops reading is let go, and its memory comes back', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const lazy = web.socket(`/api/labs/${LAB}/events`, { cookie });
  await once(lazy, 'open');
  lazy.pause();
  const listeners = web.sessions.listeners.get('learner1') ?? new Set();
  expect(listeners.size).toBe(1);
  const text = 'x'.repeat(64 * 1024);
  // Far more than a socket's buffers hold: the server must not keep it all.
  for (let sent = 0; sent < 256 && listeners.size > 0; sent++) {
    for (const listener of listeners) listener({ type: 'values', values: [{ id: 'a', text }] });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(listeners.size).toBe(0);
  await othersAreServed(web, cookie);
  lazy.terminate();
});

test('a sender that dribbles holds up nobody, and cannot make itself heard for ever', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const slow = await send(web, 'GET / HTTP/1.1\r\n');
  for (const byte of 'X-Slow: 1') {
    slow.write(byte);
    await othersAreServed(web, cookie);
  }
  expect(web.app.server.requestTimeout).toBeLessThanOrEqual(15_000);
  expect(web.app.server.headersTimeout).toBeLessThanOrEqual(60_000);
  slow.destroy();
});
