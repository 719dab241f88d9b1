import { describe, expect, test, vi } from 'vitest';
import { STREAM_PATH } from '#protocol';
import { detour } from '../../../src/client/detour.ts';
import { type Loss, ReconnectingSocket } from '../../../src/client/reconnecting-socket.ts';
import { FakeSocket, fakePage } from './fake-socket.ts';

const BEAT_MS = 10_000;
const MINUTE_MS = 60_000;

function open(refused: (signal: AbortSignal) => Promise<boolean> = async () => true) {
  const losses: Loss[] = [];
  const told: unknown[] = [];
  const socket = new ReconnectingSocket({
    url: 'ws://127.0.0.1/',
    beatMs: BEAT_MS,
    listener: {
      message: (data) => told.push(data),
      lost: (loss) => {
        losses.push(loss);
        return true;
      },
      refused,
    },
  });
  return { socket, losses, told };
}

/** The server lets the present socket in, and says something at once, as it always does. */
function letIn(): FakeSocket {
  const socket = FakeSocket.last.accept();
  socket.says('first');
  return socket;
}

/** The server is heard once in a beat, for a while. */
async function beats(socket: FakeSocket, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += BEAT_MS) {
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    socket.says('beat');
  }
}

/** How long it takes until another socket is asked for (ms). */
async function untilNext(most: number): Promise<number> {
  const { length } = FakeSocket.all;
  const began = performance.now();
  while (FakeSocket.all.length === length) {
    if (performance.now() - began > most) return Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(50);
  }
  return performance.now() - began;
}

describe('a link that falls silent without a close', () => {
  test('is given up and opened anew within 30 seconds', async () => {
    using _page = fakePage();
    const { socket, losses } = open();
    using _ = socket;
    const dead = letIn();
    await beats(dead, MINUTE_MS);
    expect(await untilNext(MINUTE_MS)).toBeLessThanOrEqual(30_000);
    expect(dead.closed).toBe(true);
    expect(losses).toEqual([{ code: 0, reason: '' }]);
  });

  test('is heard no more: what comes over it late is dropped', async () => {
    using _page = fakePage();
    const { socket, told } = open();
    using _ = socket;
    const dead = letIn();
    await untilNext(MINUTE_MS);
    dead.says('late');
    dead.ends(1001);
    expect(told).toEqual(['first']);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('is kept while the server is heard once in a beat, or one beat is late', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    const alive = letIn();
    await beats(alive, 10 * MINUTE_MS);
    await vi.advanceTimersByTimeAsync(2 * BEAT_MS);
    alive.says('beat');
    await vi.advanceTimersByTimeAsync(2 * BEAT_MS);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('is looked for by one timer, twice in a beat at most', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    const alive = letIn();
    await beats(alive, MINUTE_MS);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await beats(alive, 10 * MINUTE_MS);
    expect(timers.mock.calls.length).toBeLessThanOrEqual(2 * 60);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('is noticed within a beat after a sleep, of which nobody tells', async () => {
    using page = fakePage();
    const { socket } = open();
    using _ = socket;
    await beats(letIn(), MINUTE_MS);
    page.sleep(60 * MINUTE_MS);
    expect(await untilNext(MINUTE_MS)).toBeLessThanOrEqual(BEAT_MS);
  });

  test('while it opens is tried again after ten seconds', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    expect(await untilNext(MINUTE_MS)).toBeLessThanOrEqual(10_100);
  });
});

describe('hurrying', () => {
  test('opens at once after a sleep, though the socket does not know that it is dead', async () => {
    using page = fakePage();
    const { socket, losses } = open();
    using _ = socket;
    await beats(letIn(), MINUTE_MS);
    page.sleep(60 * MINUTE_MS);
    socket.hurry();
    expect(FakeSocket.all).toHaveLength(2);
    expect(losses).toHaveLength(1);
  });

  test('leaves a link alone that has just been heard', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    await beats(letIn(), MINUTE_MS);
    socket.hurry();
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('does not wait for the next try', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    for (let tries = 0; tries < 5; tries += 1) {
      FakeSocket.last.ends();
      await untilNext(MINUTE_MS);
    }
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(0);
    const { length } = FakeSocket.all;
    socket.hurry();
    expect(FakeSocket.all).toHaveLength(length + 1);
  });
});

describe('a link that is lost', () => {
  test('comes back at once, then later and later, and never later than five seconds', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    const waits: number[] = [];
    for (let tries = 0; tries < 9; tries += 1) {
      FakeSocket.last.ends();
      waits.push(await untilNext(MINUTE_MS));
    }
    expect(waits).toEqual([50, 250, 500, 1_000, 2_000, 3_500, 5_000, 5_000, 5_000]);
  });

  test('comes back at once again when it was good for a while, and not when it was none', async () => {
    using _page = fakePage();
    const { socket } = open();
    using _ = socket;
    for (let tries = 0; tries < 4; tries += 1) {
      // Let in, told all it came for, and thrown out: a defect that meets every page.
      letIn();
      socket.established();
      FakeSocket.last.ends(1011);
      await untilNext(MINUTE_MS);
    }
    letIn();
    socket.established();
    FakeSocket.last.ends(1011);
    expect(await untilNext(MINUTE_MS)).toBe(2_000);
    letIn();
    socket.established();
    await beats(FakeSocket.last, BEAT_MS);
    FakeSocket.last.ends();
    expect(await untilNext(MINUTE_MS)).toBe(50);
  });

  test('says with what it was closed', async () => {
    using _page = fakePage();
    const { socket, losses } = open();
    using _ = socket;
    letIn().ends(1001, 'Stopping.');
    expect(losses).toEqual([{ code: 1001, reason: 'Stopping.' }]);
  });
});

describe('a socket that is not let in', () => {
  test('is asked about, and stays closed where its owner says so', async () => {
    using _page = fakePage();
    const { socket, losses } = open(async () => false);
    using _ = socket;
    FakeSocket.last.ends();
    expect(await untilNext(MINUTE_MS)).toBe(Number.POSITIVE_INFINITY);
    expect(losses).toEqual([]);
    socket.hurry();
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('is tried again where nobody answers what became of it, or the question fails', async () => {
    using _page = fakePage();
    let asked: AbortSignal | undefined;
    const { socket } = open((signal) => {
      asked = signal;
      return new Promise(() => undefined);
    });
    using _ = socket;
    FakeSocket.last.ends();
    expect(await untilNext(MINUTE_MS)).toBeLessThan(12_000);
    expect(asked?.aborted).toBe(true);
    const failing = open(() => Promise.reject(new Error('no server')));
    using _failing = failing.socket;
    FakeSocket.last.ends();
    expect(await untilNext(MINUTE_MS)).toBeLessThan(1_000);
  });
});

test('what is disposed leaves no timer and opens nothing', async () => {
  using _page = fakePage();
  const states = [
    () => undefined,
    () => letIn(),
    () => letIn().ends(),
    () => FakeSocket.last.ends(),
  ];
  for (const reach of states) {
    const { socket } = open();
    reach();
    socket[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  }
  expect(FakeSocket.all).toHaveLength(states.length);
});

/** A network that lets no WebSocket of a page in, while what goes over HTTP comes through. */
function httpOnly() {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  const events = (text: string) => streams.at(-1)?.enqueue(new TextEncoder().encode(text));
  vi.stubGlobal('fetch', async (url: string | URL) => {
    if (!String(url).endsWith(STREAM_PATH)) return new Response(null, { status: 204 });
    const body = new ReadableStream<Uint8Array>({ start: (stream) => void streams.push(stream) });
    events('event: key\ndata: 0 k\n\n');
    return new Response(body);
  });
  return { streams, events };
}

test('a link over HTTP that falls silent without a close is opened anew within 30 seconds, in another stream', async () => {
  using _page = fakePage();
  const { streams, events } = httpOnly();
  const { socket, told } = open();
  using _ = socket;
  FakeSocket.last.ends();
  await vi.advanceTimersByTimeAsync(0);
  events('event: text\ndata: 1 first\n\n');
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['first']);
  socket.established();
  await vi.advanceTimersByTimeAsync(28_000);
  expect(streams).toHaveLength(2);
  events('event: text\ndata: 1 again\n\n');
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['first', 'again']);
  detour[Symbol.dispose]();
});

test('a link that is lost on its way from HTTP back to a WebSocket is told as lost, once', async () => {
  using _page = fakePage();
  const { events } = httpOnly();
  const { socket, losses } = open();
  using _ = socket;
  FakeSocket.last.ends();
  await vi.advanceTimersByTimeAsync(0);
  events('event: text\ndata: 1 first\n\n');
  await vi.advanceTimersByTimeAsync(0);
  socket.established();
  await vi.advanceTimersByTimeAsync(0);
  const trial = FakeSocket.last.accept();
  trial.says('echo');
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.last).not.toBe(trial);
  expect(losses).toEqual([]);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no answer')));
  FakeSocket.last.ends();
  await vi.advanceTimersByTimeAsync(1_000);
  FakeSocket.last.ends();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(losses).toHaveLength(1);
  detour[Symbol.dispose]();
});
