import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  FrameError,
  MAX_CLIENT_FRAME,
  type ServerFrame,
  TERMINAL_CLOSE,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { RING_BYTES } from '../../server/terminal/output.ts';
import type { ShellHost } from '../../server/terminal/shell-host.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { integers, seeded } from '../fixtures/random.ts';
import { localHost, openTerminal, Page, serveTerminals } from './terminal-stage.ts';

/** What one viewer may cost, whatever it does. */
const MOST_PER_VIEWER = 4 * 1024 * 1024;
const RANDOM_FRAMES = 10_000;
/** Within what a page is sent beyond its last acknowledgement, so it has been sent by the next one. */
const GUESSED_BYTES = 64 * 1024;
const HELLO: ClientFrame = {
  type: 'hello',
  version: TERMINAL_PROTOCOL_VERSION,
  client: 77n,
  epoch: 0n,
  offset: 0,
  attention: 'visible',
};

let host: ShellHost & AsyncDisposable;
let terminal: Terminal;
let other: Terminal;
let server: Awaited<ReturnType<typeof serveTerminals>>;

beforeAll(async () => {
  host = await localHost('shared');
  terminal = await openTerminal(host, { id: `test-${randomUUID()}`, title: 'one' });
  other = await openTerminal(host, { id: `test-${randomUUID()}`, title: 'other' });
  server = await serveTerminals(terminal, other);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Promise.all([terminal.close(), other.close()]);
  await host[Symbol.asyncDispose]();
});

/** A socket that speaks the protocol by hand. */
async function socketTo(target: Terminal): Promise<WebSocket> {
  const socket = new WebSocket(server.url(target));
  await once(socket, 'open');
  return socket;
}

async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** The largest queue of any of the server's sockets. */
function largestQueue(): number {
  return Math.max(0, ...[...server.sockets].map((socket) => socket.bufferedAmount));
}

test(`of ${RANDOM_FRAMES} random frames the bad ones close their socket with a reason, and nothing else`, async () => {
  const integer = integers(seeded(9));
  using bystander = new Page(server.url(other));
  await bystander.run('true');
  const reasons = new Set<string>();
  let socket: WebSocket | undefined;
  let closed = 0;
  for (let sent = 0; sent < RANDOM_FRAMES; sent++) {
    const frame = randomFrame(integer);
    if (socket === undefined) {
      socket = await socketTo(terminal);
      socket.on('message', () => undefined);
      socket.send(encodeClientFrame(HELLO));
    }
    socket.send(frame);
    if (isFine(frame)) continue;
    const { code, reason } = await closeOf(socket);
    // 1009: larger than any frame may be.
    expect([TERMINAL_CLOSE.badFrame, TERMINAL_CLOSE.version, 1009]).toContain(code);
    if (code === TERMINAL_CLOSE.badFrame) expect(reason).not.toBe('');
    reasons.add(reason);
    closed += 1;
    socket = undefined;
  }
  socket?.terminate();
  expect(closed).toBeGreaterThan(RANDOM_FRAMES / 4);
  expect(reasons.size).toBeGreaterThan(5);
  expect(bystander.state.state).toBe('open');
  expect(await bystander.run('echo st""ill')).toContain('still');
});

/** Frames that a client may send right after a hello; all others have to close the socket. */
function isFine(bytes: Uint8Array): boolean {
  try {
    const frame = decodeClientFrame(bytes);
    return (
      frame.type === 'resize' ||
      frame.type === 'attention' ||
      (frame.type === 'ack' && frame.offset === 0)
    );
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}

function randomFrame(integer: (below: number) => number): Uint8Array {
  const frames: readonly ClientFrame[] = [
    HELLO,
    // Beyond anything: what was never typed before it is missing.
    { type: 'input', offset: 2 ** 40, bytes: Uint8Array.of(65) },
    { type: 'resize', cols: 80, rows: 24 },
    { type: 'ack', offset: 2 ** 45 },
    { type: 'attention', attention: 'hidden' },
  ];
  if (integer(100) === 0) return new Uint8Array(MAX_CLIENT_FRAME + 1 + integer(1000));
  // Never a good input: it would be typed into the shell.
  if (integer(2) === 0) return Uint8Array.from({ length: 1 + integer(8) }, () => 6 + integer(250));
  const bytes = encodeClientFrame(frames[integer(frames.length)] ?? HELLO);
  return integer(3) === 0 ? bytes.subarray(0, integer(bytes.byteLength)) : bytes;
}

test('a page of another version is told so', async () => {
  const socket = await socketTo(terminal);
  socket.send(encodeClientFrame({ ...HELLO, version: 99 }));
  expect((await closeOf(socket)).code).toBe(TERMINAL_CLOSE.version);
});

test.each([
  ['does not read', { read: false, acknowledge: false }],
  ['reads and does not acknowledge', { read: true, acknowledge: false }],
  ['acknowledges and does not read', { read: false, acknowledge: true }],
])(
  'a page that %s costs little, and no other terminal notices',
  async (_, { read, acknowledge }) => {
    using flooded = new Page(server.url(terminal));
    await flooded.run('true');
    flooded.type('yes 0123456789012345678901234567890123456789\r');
    await flooded.until(({ screen }) => screen.includes('789\r\n0123'));
    flooded[Symbol.dispose]();
    const socket = await socketTo(terminal);
    if (!read && !acknowledge) socket.pause();
    let frames = 0;
    const begun = Promise.withResolvers<number>();
    socket.on('message', (data: Buffer) => {
      frames += 1;
      const frame = decodeServerFrame(data);
      if (frame.type !== 'output') return;
      // Where the output is has to be read once; from then on it acknowledges what it can only guess.
      if (!read) socket.pause();
      begun.resolve(frame.offset + frame.bytes.byteLength);
    });
    socket.send(encodeClientFrame(HELLO));
    let guess = acknowledge ? await begun.promise : 0;
    using neighbour = new Page(server.url(other));
    let most = 0;
    for (let round = 0; round < 30; round++) {
      if (acknowledge && socket.readyState === WebSocket.OPEN) {
        socket.send(encodeClientFrame({ type: 'ack', offset: guess }));
        guess += GUESSED_BYTES;
      }
      expect(await neighbour.run('echo qu""ick')).toContain('quick');
      most = Math.max(most, largestQueue());
    }
    expect(most + RING_BYTES).toBeLessThan(MOST_PER_VIEWER);
    if (read) expect(frames).toBeGreaterThan(0);
    socket.terminate();
    using stopper = new Page(server.url(terminal));
    stopper.keep = 10_000;
    await stopper.until(({ state }) => state.state === 'open');
    stopper.type('\x03');
    await stopper.run('true');
  },
);

test('Ctrl-C ends a flood while the page looks on', async () => {
  using page = new Page(server.url(terminal));
  page.keep = 10_000;
  await page.run('true');
  page.type('yes\r');
  await page.until(({ screen }) => screen.includes('y\r\ny\r\n'));
  page.type('\x03');
  await page.until(({ screen }) => screen.includes('^C'));
  expect(await page.run('echo do""ne')).toContain('done');
});

test('a second page on a terminal sees the same, and is told the size', async () => {
  using first = new Page(server.url(other));
  const said = await first.run('echo sha""red');
  expect(said).toContain('shared');
  first.connection.resize(101, 31);
  await first.run('true');
  const socket = await socketTo(other);
  const frames: ServerFrame[] = [];
  socket.on('message', (data: Buffer) => frames.push(decodeServerFrame(data)));
  socket.send(encodeClientFrame({ ...HELLO, client: 78n }));
  await expect.poll(() => textOf(frames)).toContain('shared');
  expect(frames[0]).toMatchObject({ type: 'attached', resume: 'replay', cols: 101, rows: 31 });
  expect(frames[1]).toMatchObject({ type: 'size', cols: 101, rows: 31, yours: false });
  expect(frames[2]).toMatchObject({ type: 'reset', offset: 0 });
  socket.terminate();
});

function textOf(frames: readonly ServerFrame[]): string {
  const pieces = frames.flatMap((frame) => (frame.type === 'output' ? [frame.bytes] : []));
  return Buffer.concat(pieces).toString();
}
