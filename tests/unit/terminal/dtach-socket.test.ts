import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StreamItem } from '../../../server/terminal/control-scanner.ts';
import { DtachSocket } from '../../../server/terminal/dtach-socket.ts';

const PACKET_BYTES = 10;
const KIND = { input: 0, attach: 1, size: 3, redraw: 4 } as const;
const SIZE = { cols: 80, rows: 24 };

/** dtach's end of its socket: it takes what comes when it is told to read. */
async function fakeDtach() {
  const directory = await mkdtemp(join(tmpdir(), 'quayside-dtach-'));
  const path = join(directory, 'socket');
  const sockets: Socket[] = [];
  let received = Buffer.alloc(0);
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    sockets,
    read: () => {
      for (const socket of sockets) socket.resume();
    },
    /** The packets that have come, by kind. */
    packets: () =>
      Array.from({ length: received.byteLength / PACKET_BYTES }, (_, at) => {
        const packet = received.subarray(at * PACKET_BYTES, (at + 1) * PACKET_BYTES);
        return { kind: packet[0], length: packet[1] ?? 0, bytes: packet.subarray(2) };
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const ignored = { item: () => undefined, drained: () => undefined };

test('of 300,000 sizes that dtach does not read, a few are kept, and the last arrives', async () => {
  await using dtach = await fakeDtach();
  using transport = await DtachSocket.attach('t', dtach.path, SIZE, ignored);
  const turns = 60;
  for (let at = 1; at <= turns; at++) {
    for (let sent = 0; sent < 5_000; sent++) transport.resize({ cols: 80 + (sent % 7), rows: 24 });
    transport.resize({ cols: 100 + at, rows: 24 });
    await turn();
  }
  dtach.read();
  const sizes = () => dtach.packets().filter(({ kind }) => kind === KIND.size);
  await expect.poll(() => sizes().at(-1)?.bytes.readUInt16LE(2)).toBe(100 + turns);
  expect(sizes().length).toBeLessThanOrEqual(2 * turns);
});

test('the input that starts a shell cannot overtake the attach, however the connections are read', async () => {
  await using dtach = await fakeDtach();
  using _ = await DtachSocket.attach('t', dtach.path, SIZE, ignored, undefined, Buffer.from('\r'));
  const [, output] = await expect
    .poll(() => dtach.sockets.length)
    .toBe(2)
    .then(() => dtach.sockets);
  output?.resume();
  const kinds = () => dtach.packets().map(({ kind }) => kind);
  await expect.poll(kinds).toEqual([KIND.attach, KIND.redraw, KIND.input]);
});

test('a size does not wait behind a paste', async () => {
  await using dtach = await fakeDtach();
  using transport = await DtachSocket.attach('t', dtach.path, SIZE, ignored);
  transport.write(Buffer.alloc(60_000, 'x'));
  transport.resize({ cols: 132, rows: 43 });
  dtach.read();
  const inputAfter = () => {
    const packets = dtach.packets();
    const size = packets.findIndex(({ kind }) => kind === KIND.size);
    return size < 0 ? [] : packets.slice(size).filter(({ kind }) => kind === KIND.input);
  };
  await expect
    .poll(() => inputAfter().reduce((sum, { length }) => sum + length, 0))
    .toBeGreaterThan(50_000);
});

test('input arrives once and in order, however it comes', async () => {
  await using dtach = await fakeDtach();
  let drained = 0;
  using transport = await DtachSocket.attach('t', dtach.path, SIZE, {
    ...ignored,
    drained: () => {
      drained += 1;
    },
  });
  const text = Array.from({ length: 20_000 }, (_, at) => `${at} `).join('');
  for (let at = 0; at < text.length; ) {
    const length = at % 3 === 0 ? 1 : 9_001;
    transport.write(Buffer.from(text.slice(at, at + length)));
    at += length;
  }
  expect(transport.queued).toBe(text.length);
  dtach.read();
  const received = () =>
    dtach
      .packets()
      .filter(({ kind }) => kind === KIND.input)
      .map(({ bytes, length }) => bytes.toString('latin1', 0, length))
      .join('');
  await expect.poll(() => received().length).toBe(text.length);
  expect(received()).toBe(text);
  await expect.poll(() => transport.queued).toBe(0);
  expect(drained).toBeGreaterThan(0);
});

test('after a redirection the new listener is told, in the middle of a chunk as well', async () => {
  await using dtach = await fakeDtach();
  const heard: string[] = [];
  const hear = (who: string) => (item: StreamItem) =>
    heard.push(`${who} ${item.kind === 'output' ? item.bytes : item.note}`);
  using transport = await DtachSocket.attach('t', dtach.path, SIZE, {
    ...ignored,
    item: (item) => {
      hear('first')(item);
      if (item.kind === 'note') transport.redirect({ ...ignored, item: hear('second') });
    },
  });
  await expect.poll(() => dtach.sockets.length).toBe(2);
  for (const socket of dtach.sockets) socket.write('a\x1b_quayside:t:begin\x1b\\b');
  await expect.poll(() => heard).toEqual(['first a', 'first begin', 'second b']);
});

test('whoever attaches can break off', async () => {
  await using dtach = await fakeDtach();
  const attached = DtachSocket.attach('t', dtach.path, SIZE, ignored, AbortSignal.abort());
  await expect(attached).rejects.toMatchObject({ name: 'AbortError' });
});

test('of a flood no more than 16 KiB is taken in within one turn of the event loop, and all of it in the end', async () => {
  await using dtach = await fakeDtach();
  const flood = Buffer.alloc(1024 * 1024, '\x1b]633;');
  let turnsPassed = 0;
  let received = 0;
  const byTurn = new Map<number, number>();
  using transport = await DtachSocket.attach('t', dtach.path, SIZE, {
    ...ignored,
    item: (item) => {
      if (item.kind !== 'output') return;
      received += item.bytes.byteLength;
      byTurn.set(turnsPassed, (byTurn.get(turnsPassed) ?? 0) + item.bytes.byteLength);
    },
  });
  await expect.poll(() => dtach.sockets.length).toBe(2);
  for (const socket of dtach.sockets) socket.write(flood);
  while (received < flood.byteLength) {
    if (turnsPassed === 10) transport.pause();
    if (turnsPassed === 20) transport.resume();
    await turn();
    turnsPassed += 1;
  }
  expect(received).toBe(flood.byteLength);
  expect(Math.max(...byTurn.values())).toBeLessThanOrEqual(16 * 1024);
  const whilePaused = [...byTurn.keys()].filter((at) => at > 10 && at < 20);
  expect(whilePaused).toEqual([]);
});
