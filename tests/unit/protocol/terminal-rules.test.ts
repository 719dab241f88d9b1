import { inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import {
  BEAT_MS,
  type ClientFrame,
  encodeClientFrame,
  MAX_CLIENT_FRAME,
  type ServerFrame,
  TERMINAL_CLOSE,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { RING_BYTES } from '../../../server/terminal/output.ts';
import { MAX_VIEWERS, Terminal } from '../../../server/terminal/terminal.ts';
import { linkTerminal } from '../../../server/web/sockets/terminal-socket.ts';
import { background, FakeShell } from '../terminal/fake-shell.ts';
import { FakeSocket } from '../terminal/fake-socket.ts';

// docs/terminal-protocol.md says all of this to those who write a client from it alone.

type Hello = Extract<ClientFrame, { type: 'hello' }>;

const HELLO: Hello = {
  type: 'hello',
  version: TERMINAL_PROTOCOL_VERSION,
  client: 1n,
  epoch: 0n,
  offset: 0,
  attention: 'active',
};
const KIB = 1024;
const INPUT_BYTES = 8 * KIB;

let shell: FakeShell;
let terminal: Terminal;
let sockets: FakeSocket[];

beforeEach(async () => {
  vi.useFakeTimers();
  shell = new FakeShell();
  sockets = [];
  const identity = { id: 't1', host: 'server01', title: 'server01' };
  terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
});

afterEach(() => {
  terminal.detach();
  for (const socket of sockets) socket[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
  expect([...background.failures.keys()]).toEqual([]);
  vi.useRealTimers();
});

function connected(): FakeSocket {
  const socket = new FakeSocket();
  sockets.push(socket);
  linkTerminal(socket as unknown as WebSocket, terminal, background);
  return socket;
}

/** A page that has sent its hello, over a socket that sends at once. */
function attached(hello: Partial<Hello> = {}): FakeSocket {
  const socket = connected();
  socket.says({ ...HELLO, ...hello });
  socket.drain();
  return socket;
}

const kinds = ({ told }: FakeSocket): readonly string[] => told.map(({ type }) => type);
const outputOf = ({ told }: FakeSocket): string =>
  told
    .flatMap((frame) => (frame.type === 'output' ? [Buffer.from(frame.bytes).toString()] : []))
    .join('');
const attachedOf = ({ told }: FakeSocket) =>
  told.find(
    (frame): frame is Extract<ServerFrame, { type: 'attached' }> => frame.type === 'attached',
  );
const badFrame = (reason: string) => ({ code: TERMINAL_CLOSE.badFrame, reason });

/** Prints more than is kept. */
function loseTheBeginning(): void {
  for (let printed = 0; printed <= RING_BYTES; printed += 64 * KIB)
    shell.print(`${'x'.repeat(64 * KIB - 1)}\n`);
}

/** Prints lines that a screen holds, numbered, so many bytes of them or a few more. */
function printLines(bytes: number): void {
  const from = terminal.head;
  for (let line = 0; terminal.head - from < bytes; line += 100)
    shell.print(Array.from({ length: 100 }, (_, at) => `line ${line + at}\r\n`).join(''));
}

const olderOf = ({ told }: FakeSocket) => told.filter((frame) => frame.type === 'older');

/** All that is older than a page's replay, as it fetches it: piece after piece, without a gap. */
function fetched(socket: FakeSocket, bytes = 64 * KIB, lines = 1_000_000): string {
  const reset = socket.told.find((frame) => frame.type === 'reset');
  const end = reset?.offset ?? 0;
  let text = '';
  for (let offset = 0; offset < end; ) {
    socket.says({ type: 'fetch', offset, bytes: Math.min(bytes, end - offset), lines });
    socket.drain();
    const piece = olderOf(socket).at(-1);
    if (!piece || piece.bytes.byteLength === 0) throw new Error('nothing came');
    if (offset > 0) expect(piece.offset).toBe(offset);
    text += Buffer.from(piece.bytes).toString();
    offset = piece.offset + piece.bytes.byteLength;
  }
  return text;
}

/** Input of one client, from an offset on. */
function inputs(socket: FakeSocket, from: number, bytes: number): void {
  for (let offset = from; offset < from + bytes; offset += INPUT_BYTES) {
    socket.says({ type: 'input', offset, bytes: Buffer.alloc(INPUT_BYTES, 'x') });
    socket.drain();
  }
}

describe('hello', () => {
  test('is answered by attached, then size, then reset for a page that has nothing', () => {
    expect(kinds(attached())).toEqual(['attached', 'size', 'reset']);
  });

  test('a second one closes the socket', () => {
    const socket = attached();
    socket.says(HELLO);
    expect(socket.end).toEqual(badFrame('hello twice'));
  });

  test('another first frame closes the socket', () => {
    const socket = connected();
    socket.says({ type: 'ack', offset: 0 });
    expect(socket.end).toEqual(badFrame('hello must come first'));
  });

  test('with the present epoch and a kept offset goes on there exactly', () => {
    shell.print('one two');
    const socket = attached({ epoch: terminal.epoch, offset: 4 });
    expect(attachedOf(socket)?.resume).toBe('exact');
    expect(kinds(socket)).not.toContain('reset');
    expect(outputOf(socket)).toBe('two');
  });

  test('with an offset that is no longer kept gets a reset', () => {
    loseTheBeginning();
    const socket = attached({ epoch: terminal.epoch, offset: 4 });
    expect(attachedOf(socket)?.resume).toBe('replay');
    expect(kinds(socket)).toContain('reset');
  });

  test('with an offset beyond the end closes the socket', () => {
    shell.print('abc');
    const socket = attached({ epoch: terminal.epoch, offset: 4 });
    expect(socket.end).toEqual(badFrame('offset beyond the end'));
  });

  test('with another epoch goes on at the new epoch’s beginning, whatever its offset, while that is kept', () => {
    shell.print('since the restart');
    const socket = attached({ epoch: terminal.epoch ^ 2n, offset: 2 ** 40 });
    expect(attachedOf(socket)).toMatchObject({ resume: 'restarted', epoch: terminal.epoch });
    expect(kinds(socket)).not.toContain('reset');
    expect(socket.told.find(({ type }) => type === 'output')).toMatchObject({ offset: 0 });
  });

  test('with another epoch gets a reset once the new one’s beginning is no longer kept', () => {
    loseTheBeginning();
    const socket = attached({ epoch: terminal.epoch ^ 2n, offset: 5 });
    expect(attachedOf(socket)?.resume).toBe('replay');
    expect(kinds(socket)).toContain('reset');
  });

  test('that does not come closes the socket after 10 s', () => {
    const socket = connected();
    vi.advanceTimersByTime(10_000);
    expect(socket.end).toEqual({ code: TERMINAL_CLOSE.silent, reason: 'no hello' });
  });

  test('of another version, or of one page too many, closes the socket', () => {
    expect(attached({ version: 2 }).end).toMatchObject({ code: TERMINAL_CLOSE.version });
    for (let page = 0; page < MAX_VIEWERS; page++) attached({ client: BigInt(page) });
    expect(attached({ client: 99n }).end).toMatchObject({ code: TERMINAL_CLOSE.crowded });
  });
});

describe('a replay of the newest output', () => {
  const NEWEST = 32 * KIB;

  test('begins at a line about so far before the end, and the older output can be fetched in pieces', () => {
    printLines(1024 * KIB);
    const all = Buffer.from(terminal.outputSince(0)).toString();
    const socket = attached({ newest: NEWEST });
    expect(kinds(socket).slice(0, 3)).toEqual(['attached', 'size', 'reset']);
    const newest = outputOf(socket);
    expect(newest.length).toBeGreaterThanOrEqual(NEWEST);
    expect(newest.length).toBeLessThan(2 * NEWEST);
    const older = fetched(socket);
    expect(olderOf(socket).every(({ bytes }) => bytes.byteLength <= 64 * KIB)).toBe(true);
    expect(older + newest).toBe(all);
  });

  test('of which only the lines are fetched that a page keeps', () => {
    printLines(1024 * KIB);
    const lines = 10_000;
    const older = fetched(attached({ newest: NEWEST }), 64 * KIB, lines);
    expect(older.split('\n').length).toBeGreaterThan(lines / 2);
    expect(older.length).toBeLessThan(256 * KIB);
  });

  test('is of everything where that is not more', () => {
    shell.print('one\r\ntwo');
    const socket = attached({ newest: NEWEST });
    expect(socket.told[2]).toMatchObject({ type: 'reset', offset: 0 });
    expect(outputOf(socket)).toBe('one\r\ntwo');
  });

  test('comes to a page that lacks more than four times as much, and to no other', () => {
    printLines(4 * NEWEST);
    const hello = { epoch: terminal.epoch, newest: NEWEST };
    expect(attachedOf(attached({ ...hello, offset: 0 }))?.resume).toBe('replay');
    const near = attached({ ...hello, client: 2n, offset: terminal.head - 4 * NEWEST });
    expect(attachedOf(near)?.resume).toBe('exact');
    const short = attached({ epoch: terminal.epoch, client: 3n, offset: 0 });
    expect(attachedOf(short)?.resume).toBe('exact');
  });

  test('a fetch of what is no longer kept begins anew, with its preamble', () => {
    shell.print('\x1b[?2004h');
    printLines(RING_BYTES + 200 * KIB);
    const socket = attached({ newest: NEWEST });
    socket.says({ type: 'fetch', offset: 5, bytes: KIB, lines: 1_000_000 });
    const [piece] = olderOf(socket);
    expect(piece?.offset).toBeGreaterThan(terminal.head - RING_BYTES);
    expect(piece && Buffer.from(piece.preamble).toString()).toBe('\x1b[?2004h');
    expect(piece?.bytes.byteLength).toBe(KIB);
  });

  test('is packed where the page can unpack it, as it was when it was asked for', async () => {
    printLines(RING_BYTES);
    const socket = attached({ newest: NEWEST });
    const fetch = { type: 'fetch', offset: 0, bytes: 64 * KIB, lines: 1_000_000 } as const;
    socket.says(fetch);
    socket.drain();
    socket.says({ ...fetch, packed: true });
    printLines(RING_BYTES);
    await expect.poll(() => olderOf(socket)).toHaveLength(2);
    const [plain, packed] = olderOf(socket);
    expect(packed?.packed).toBe(true);
    expect(packed?.bytes.byteLength).toBeLessThan(16 * KIB);
    expect(inflateRawSync(packed?.bytes ?? '')).toEqual(Buffer.from(plain?.bytes ?? ''));
  });

  test('a second fetch before the answer has gone out closes the socket, however little a page reads', () => {
    printLines(256 * KIB);
    const socket = attached({ newest: NEWEST });
    socket.says({ type: 'fetch', offset: 0, bytes: 2 ** 32 - 1, lines: 1 });
    expect(olderOf(socket)[0]?.bytes.byteLength).toBeLessThanOrEqual(64 * KIB);
    socket.says({ type: 'fetch', offset: 0, bytes: 1, lines: 1 });
    expect(socket.end).toEqual(badFrame('fetch before the answer'));
  });

  test('has a full-screen program draw its screen again, and nobody else', () => {
    printLines(256 * KIB);
    attached({ newest: NEWEST });
    expect(shell.sizes.at(-1)).toBe('80x24');
    shell.print('\x1b[?1049h');
    for (let drawn = 0; drawn < 1_000; drawn++) shell.print(`\x1b[5;5H${'x'.repeat(100)}`);
    attached({ client: 2n, newest: NEWEST });
    expect(shell.sizes.at(-1)).toBe('80x23');
    vi.advanceTimersByTime(100);
    expect(shell.sizes.at(-1)).toBe('80x24');
  });
});

describe('input', () => {
  test('is reported as taken every 16 KiB', () => {
    const socket = attached();
    socket.told.length = 0;
    inputs(socket, 0, 64 * KIB);
    const beats = [16, 32, 48, 64].map((taken) => ({ type: 'beat', taken: taken * KIB }));
    expect(socket.told).toEqual(beats);
  });

  test('is not reported while more than 64 KiB of it waits, and the beats go on', () => {
    const socket = attached();
    const [transport] = shell.transports;
    if (!transport) throw new Error('not joined');
    transport.queued = 64 * KIB + 1;
    socket.told.length = 0;
    inputs(socket, 0, 64 * KIB);
    expect(socket.told).toEqual([]);
    vi.advanceTimersByTime(BEAT_MS);
    socket.drain();
    expect(socket.told).toEqual([{ type: 'beat', taken: 0 }]);
    transport.queued = 0;
    transport.drained();
    expect(socket.told.at(-1)).toEqual({ type: 'beat', taken: 64 * KIB });
  });

  test('closes the socket that sends more while 256 KiB of it waits', () => {
    const socket = attached();
    const [transport] = shell.transports;
    if (!transport) throw new Error('not joined');
    transport.queued = 256 * KIB + 1;
    inputs(socket, 0, 1);
    expect(socket.end).toEqual(badFrame('more input than allowed'));
  });

  test('that came already is dropped, and a gap closes the socket', () => {
    const socket = attached();
    inputs(socket, 0, INPUT_BYTES);
    inputs(socket, 0, INPUT_BYTES);
    expect(shell.input).toHaveLength(1);
    inputs(socket, INPUT_BYTES + 1, 1);
    expect(socket.end).toEqual(badFrame('input with a gap'));
  });

  test('of a client is counted until 64 others have sent some', () => {
    inputs(attached({ client: 1n }), 0, INPUT_BYTES);
    const others = Array.from({ length: 64 }, (_, at) => BigInt(at + 2));
    for (const client of others.slice(1)) {
      const socket = attached({ client });
      inputs(socket, 0, INPUT_BYTES);
      socket.close();
    }
    expect(attachedOf(attached({ client: 1n }))?.taken).toBe(INPUT_BYTES);
    inputs(attached({ client: others[0] ?? 0n }), 0, INPUT_BYTES);
    expect(attachedOf(attached({ client: 1n }))?.taken).toBe(0);
  });
});

test('an older acknowledgement is ignored, one of what was not sent closes the socket', () => {
  shell.print('abc');
  const socket = attached();
  socket.says({ type: 'ack', offset: 3 });
  socket.says({ type: 'ack', offset: 2 });
  expect(socket.end).toBeUndefined();
  socket.says({ type: 'ack', offset: 4 });
  expect(socket.end).toEqual(badFrame('acknowledged what was not sent'));
});

test('a beat and a ping come every 10 s, and a page without a sign of life is cut after 30 s and a beat', () => {
  const socket = attached();
  socket.told.length = 0;
  for (let beat = 1; beat <= 3; beat++) {
    vi.advanceTimersByTime(BEAT_MS);
    socket.drain();
    expect(socket.pings).toBe(beat);
    expect(kinds(socket)).toHaveLength(beat);
  }
  expect(socket.end).toBeUndefined();
  socket.emit('pong');
  vi.advanceTimersByTime(3 * BEAT_MS);
  expect(socket.end).toBeUndefined();
  vi.advanceTimersByTime(BEAT_MS);
  expect(socket.end).toBe('cut');
});

test('a hidden page’s size counts only until another is used', () => {
  const hidden = attached({ attention: 'hidden' });
  hidden.says({ type: 'resize', cols: 100, rows: 30 });
  vi.advanceTimersByTime(1);
  expect(terminal.size).toEqual({ cols: 100, rows: 30 });
  const page = attached({ client: 2n });
  page.says({ type: 'resize', cols: 120, rows: 40 });
  hidden.says({ type: 'resize', cols: 90, rows: 20 });
  vi.advanceTimersByTime(1);
  expect(terminal.size).toEqual({ cols: 120, rows: 40 });
});

test('all output comes before exit, then the close code', () => {
  const socket = attached();
  shell.print('the last');
  shell.note('end', 3);
  // What follows other output closely goes out with it, a few milliseconds later.
  vi.advanceTimersByTime(5);
  expect(outputOf(socket)).toBe('the last');
  expect(socket.told.at(-1)).toEqual({ type: 'exit', status: 3 });
  expect(socket.end).toMatchObject({ code: TERMINAL_CLOSE.exited });
});

test('a terminal that is closed, and one that its server lets go of, close their sockets', async () => {
  const closed = attached();
  await terminal.close();
  expect(closed.end).toMatchObject({ code: TERMINAL_CLOSE.gone });
  const other = new FakeShell();
  const identity = { id: 't2', host: 'server01', title: 'server01' };
  terminal = await Terminal.on(identity, other, { cols: 80, rows: 24 }, { background });
  const left = attached();
  terminal.detach();
  expect(left.end).toMatchObject({ code: 1012 });
});

test.each([
  ['text', 'a text message', false, 'text instead of binary'],
  ['an empty frame', new Uint8Array(), true, 'empty frame'],
  ['an unknown frame', Uint8Array.of(0x7f), true, 'unknown frame'],
  ['too large a frame', new Uint8Array(MAX_CLIENT_FRAME + 1), true, 'frame too large'],
  [
    'a size out of bounds',
    encodeClientFrame({ type: 'resize', cols: 0, rows: 0 }),
    true,
    'size 0x0 out of bounds',
  ],
] as const)('%s closes its socket and no other', (_, message, isBinary, reason) => {
  const [socket, other] = [attached(), attached({ client: 2n })];
  socket.emit('message', Buffer.from(message), isBinary);
  expect(socket.end).toEqual(badFrame(reason));
  expect(other.end).toBeUndefined();
});
