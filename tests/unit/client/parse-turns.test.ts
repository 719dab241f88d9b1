import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ParseTurns } from '../../../src/client/terminal/parse-turns.ts';

/** Of the page: what it shows next, what it does later, and the time that parsing takes. */
let frames: (() => void)[] = [];
let timers: { readonly due: number; readonly callback: () => void }[] = [];
let now = 0;

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => frames.push(callback));
  vi.stubGlobal('setTimeout', (callback: () => void, ms: number) =>
    timers.push({ due: now + ms, callback }),
  );
  vi.stubGlobal('clearTimeout', () => undefined);
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

afterEach(() => {
  frames = [];
  timers = [];
  now = 0;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Messages that were posted have arrived. */
function arrived(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Draws a frame, which takes `ms`; a message that was posted before it waits meanwhile. */
async function drawFrame(ms: number): Promise<void> {
  const due = frames;
  frames = [];
  for (const frame of due) frame();
  now += ms;
  await arrived();
}

/** So many ms pass, and what was to be done by then is. */
function pass(ms: number): void {
  now += ms;
  const due = timers.filter((timer) => timer.due <= now);
  timers = timers.filter((timer) => timer.due > now);
  for (const { callback } of due) callback();
}

/** A terminal that takes 3 ms to parse each piece, on a page that may be scrolled. */
function slowParser({ isScrolled = false } = {}) {
  const parsed: Uint8Array[] = [];
  const state = { isHeld: false, isScrolled, isToDraw: false };
  const turns = new ParseTurns({
    parse: (bytes, done) => {
      now += 3;
      parsed.push(bytes);
      state.isToDraw ||= !state.isHeld;
      done?.();
    },
    hold: (isHeld) => {
      state.isHeld = isHeld;
      state.isToDraw ||= !isHeld;
    },
    isPageScrolled: () => state.isScrolled,
  });
  const bytes = () => parsed.flatMap((piece) => [...piece]);
  return { turns, parsed, bytes, state };
}

const KIB = 1024;

test('an echo is parsed as it comes', () => {
  const { turns, bytes } = slowParser();
  using _ = turns;
  let isDone = false;
  turns.write(new Uint8Array([7]), () => {
    isDone = true;
  });
  expect(bytes()).toEqual([7]);
  expect(isDone).toBe(true);
});

test('a flood leaves the page its time: no more than half a frame at once', async () => {
  const { turns, parsed } = slowParser();
  using _ = turns;
  turns.write(new Uint8Array(64 * KIB), () => undefined);
  expect(parsed).toHaveLength(3);
  // What comes meanwhile waits for its turn.
  turns.write(new Uint8Array(KIB), () => undefined);
  expect(parsed).toHaveLength(3);
  await expect.poll(() => parsed.length).toBe(17);
});

test('a flood is parsed while it is not drawn: drawing takes a third of the time', async () => {
  const { turns, parsed, state } = slowParser();
  using _ = turns;
  turns.write(new Uint8Array(64 * KIB), () => undefined);
  expect(state.isHeld).toBe(false);
  await drawFrame(40);
  await expect.poll(() => parsed.length).toBe(16);
  expect(state.isHeld).toBe(true);
  const [hold] = timers;
  expect(timers).toHaveLength(1);
  turns.write(new Uint8Array(64 * KIB), () => undefined);
  await expect.poll(() => parsed.length).toBe(32);
  expect(state.isHeld).toBe(true);
  pass((hold?.due ?? 0) - now);
  expect(state.isHeld).toBe(false);
  // That frame is timed from its beginning, and so on.
  expect(frames).toHaveLength(1);
  await drawFrame(1_000);
  expect(state.isHeld).toBe(true);
  pass(250);
  expect(state.isHeld).toBe(false);
});

test('beside a page that is scrolled, a flood has one turn a frame, and is drawn in a few frames of many', async () => {
  const { turns, parsed, state } = slowParser({ isScrolled: true });
  using _ = turns;
  turns.write(new Uint8Array(2_000 * KIB), () => undefined);
  let drawn = 0;
  for (let frame = 0; frame < 60; frame++) {
    const before = parsed.length;
    if (state.isToDraw) drawn += 1;
    state.isToDraw = false;
    await drawFrame(6);
    await arrived();
    expect(parsed.length - before).toBe(3);
    pass(1);
  }
  // 60 frames of 16 ms are a second.
  expect(drawn).toBeLessThanOrEqual(11);
  state.isScrolled = false;
  await drawFrame(6);
  await expect.poll(() => parsed.length).toBe(500);
});

test('an echo on a slow page waits for nothing', async () => {
  const { turns, parsed, state } = slowParser();
  using _ = turns;
  turns.write(new Uint8Array([1]), () => undefined);
  await drawFrame(200);
  turns.write(new Uint8Array([2]), () => undefined);
  expect(parsed).toHaveLength(2);
  expect(state.isHeld).toBe(false);
});

test('all bytes are parsed once and in order, whatever is written in between', async () => {
  const { turns, bytes } = slowParser();
  using _ = turns;
  const all = Uint8Array.from({ length: 50 * KIB }, (_, index) => index % 251);
  const done: number[] = [];
  for (let at = 0; at < all.length; at += 7 * KIB) {
    turns.write(all.subarray(at, at + 7 * KIB), () => done.push(at));
  }
  await expect.poll(() => bytes().length).toBe(all.length);
  expect(bytes()).toEqual([...all]);
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((part) => part * 7 * KIB));
});

test('what waits can be had at once, before the screen is cleared', () => {
  const { turns, bytes } = slowParser();
  using _ = turns;
  turns.write(new Uint8Array(64 * KIB), () => undefined);
  turns.finish();
  expect(bytes()).toHaveLength(64 * KIB);
});

test('what is written from within the parser comes after what is there', () => {
  const written: number[] = [];
  using turns = new ParseTurns({
    parse: (bytes, done) => {
      written.push(...bytes);
      done?.();
    },
    hold: () => undefined,
    isPageScrolled: () => false,
  });
  turns.write(new Uint8Array([1]), () => {
    turns.write(new Uint8Array([2]), () => undefined);
    expect(written).toEqual([1]);
  });
  expect(written).toEqual([1, 2]);
});
