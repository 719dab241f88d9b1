import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import {
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  type ServerFrame,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { linkTerminal } from '../../../server/web/sockets/terminal-socket.ts';
import { background, FakeShell, type FakeTransport } from '../terminal/fake-shell.ts';
import { FakeSocket } from '../terminal/fake-socket.ts';
import { LAB, type Stage, stage, TERMINAL } from './stage.ts';

const EVENTS = `/api/labs/${LAB}/events`;
const TERMINALS = `/api/labs/${LAB}/terminals/${TERMINAL}`;
/** Each page has a number of its own. */
let clients = 0n;
const INSIDE = 'something of the inside';

/** A shell that takes no input: writing to it fails in a way that nobody has thought of. */
class BrokenShell extends FakeShell {
  override onJoin = (transport: FakeTransport): void => {
    transport.write = () => {
      throw new Error(INSIDE);
    };
  };
}

const HELLO = {
  type: 'hello',
  version: TERMINAL_PROTOCOL_VERSION,
  epoch: 0n,
  offset: 0,
  attention: 'active',
} as const;

/** A page on the stage's terminal, attached. */
async function attached(web: Stage, cookie: string) {
  const socket = web.socket(TERMINALS, { cookie });
  const frames: ServerFrame[] = [];
  socket.on('message', (data: Buffer) => frames.push(decodeServerFrame(data)));
  const send = (frame: ClientFrame) => socket.send(encodeClientFrame(frame));
  await once(socket, 'open');
  clients += 1n;
  send({ ...HELLO, client: clients });
  await expect.poll(() => frames.length).toBeGreaterThan(1);
  return { socket, frames, send };
}

async function withTerminal(shell: FakeShell) {
  const web = await stage();
  onTestFinished(() => web[Symbol.asyncDispose]());
  const cookie = await web.signIn();
  const identity = { id: TERMINAL, host: 'server01', title: 'server01' };
  const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
  onTestFinished(() => terminal.detach());
  web.sessions.carried = terminal;
  web.sessions.terminals.set(TERMINAL, 'learner1');
  return { web, cookie, terminal };
}

test('a defect behind one page’s terminal ends that socket with 1011, and the other pages go on', async () => {
  const shell = new BrokenShell();
  const { web, cookie } = await withTerminal(shell);
  const [one, other] = [await attached(web, cookie), await attached(web, cookie)];
  const closed = once(one.socket, 'close');
  one.send({ type: 'input', offset: 0, bytes: Buffer.from('x') });
  const [code, reason] = (await closed) as [number, Buffer];
  expect(code).toBe(1011);
  expect(String(reason)).not.toContain(INSIDE);
  expect(web.log.join()).toContain(`terminal socket: Error: ${INSIDE}`);
  const before = other.frames.length;
  shell.print('still here');
  await expect.poll(() => other.frames.length).toBeGreaterThan(before);
  expect(other.socket.readyState).toBe(WebSocket.OPEN);
});

test('a defect in telling one page of an event ends that page’s socket, and no other’s', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const [one, other] = [web.socket(EVENTS, { cookie }), web.socket(EVENTS, { cookie })];
  await Promise.all([one, other].map((each) => once(each, 'message')));
  let failed = false;
  const text = {
    toJSON: () => {
      if (failed) return 'ok';
      failed = true;
      throw new Error(INSIDE);
    },
  } as unknown as string;
  const closed = once(one, 'close');
  const told = once(other, 'message');
  for (const listener of web.sessions.listeners.get('learner1') ?? [])
    listener({ type: 'values', values: [{ id: 'a', text }] });
  expect((await closed)[0]).toBe(1011);
  expect(String((await told)[0])).toContain('"ok"');
  expect(web.log).toEqual([`event socket: Error: ${INSIDE}`]);
  // It is let go of at once: nothing more is sent there.
  expect(web.sessions.listeners.get('learner1')?.size).toBe(1);
});

test('a defect while a socket opens ends it with 1011', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  const { sessions } = web;
  const of = sessions.of.bind(sessions);
  sessions.of = (learner, lab) => ({
    ...of(learner, lab),
    subscribe: () => {
      throw new Error(INSIDE);
    },
  });
  const socket = web.socket(EVENTS, { cookie });
  expect((await once(socket, 'close'))[0]).toBe(1011);
  expect(web.log).toEqual([`open a socket: Error: ${INSIDE}`]);
});

/** A page on a terminal of its own, over a socket whose queue is the test's. */
async function onFullSocket(shell = new FakeShell()) {
  const identity = { id: TERMINAL, host: 'server01', title: 'server01' };
  const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
  onTestFinished(() => terminal.detach());
  const socket = new FakeSocket();
  onTestFinished(() => socket[Symbol.dispose]());
  linkTerminal(socket as unknown as WebSocket, terminal, background);
  socket.says({ ...HELLO, client: 1n });
  socket.drain();
  socket.told.length = 0;
  return { terminal, socket, shell };
}

test('a page that does not read is told one size of many, and the last when it reads again', async () => {
  const { terminal, socket } = await onFullSocket();
  for (let sent = 0; sent < 10_000; sent += 1) {
    socket.says({ type: 'resize', cols: 80 + (sent % 100), rows: 24 });
    // Sizes that come within one turn of the event loop take effect together.
    if (sent % 100 === 0) await turn();
  }
  socket.says({ type: 'resize', cols: 300, rows: 99 });
  await turn();
  expect(terminal.size).toEqual({ cols: 300, rows: 99 });
  expect(socket.told.map(({ type }) => type)).toEqual(['size']);
  socket.drain();
  expect(socket.told.at(-1)).toEqual({ type: 'size', cols: 300, rows: 99, yours: true });
  expect(socket.told).toHaveLength(2);
});

test('a page that types and does not read is told once how much was taken, and the last when it reads again', async () => {
  const { socket } = await onFullSocket();
  const bytes = Buffer.alloc(8 * 1024, 'x');
  for (let offset = 0; offset < 100 * bytes.byteLength; offset += bytes.byteLength)
    socket.says({ type: 'input', offset, bytes });
  expect(socket.told).toEqual([{ type: 'beat', taken: 2 * bytes.byteLength }]);
  socket.drain();
  expect(socket.told.at(-1)).toEqual({ type: 'beat', taken: 100 * bytes.byteLength });
  expect(socket.told).toHaveLength(2);
});

test('a request for a socket at a path that is none is answered, and its connection closed', async () => {
  await using web = await stage();
  const cookie = await web.signIn();
  for (const path of ['/%', '/%E0%A4%A', '//', '/api/labs/%/events']) {
    const socket = connect(web.port, '127.0.0.1');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${web.port}\r\nOrigin: ${web.origin}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer, path).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
});
