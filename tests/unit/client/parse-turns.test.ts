import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ParseTurns } from '../../../src/client/terminal/parse-turns.ts';

/** Of the page: what it shows next, and the time that parsing takes. */
let frames: (() => void)[] = [];
let now = 0;

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => frames.push(callback));
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});

afterEach(() => {
  frames = [];
  now = 0;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Draws a frame, which takes `ms`; a message that was posted before it waits meanwhile. */
function drawFrame(ms: number): void {
  const due = frames;
  frames = [];
  for (const frame of due) frame();
  now += ms;
}

/** A parser that takes 3 ms for each piece. */
function slowParser() {
  const parsed: Uint8Array[] = [];
  const turns = new ParseTurns((bytes, done) => {
    now += 3;
    parsed.push(bytes);
    done?.();
  });
  const bytes = () => parsed.flatMap((piece) => [...piece]);
  return { turns, parsed, bytes };
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
  await vi.waitUntil(() => parsed.length === 17);
});

test('a flood that takes the page long to draw gathers after each frame, so that it is drawn less often', async () => {
  const { turns, parsed } = slowParser();
  using _ = turns;
  for (let frame = 0; frame < 5; frame++) {
    const before = parsed.length;
    turns.write(new Uint8Array(16 * KIB), () => undefined);
    await vi.waitUntil(() => parsed.length >= before + 4);
    drawFrame(200);
    // The page has been told that the frame is drawn.
    await new Promise((told) => setTimeout(told));
    const drawn = parsed.length;
    turns.write(new Uint8Array(16 * KIB), () => undefined);
    expect(parsed).toHaveLength(drawn);
    turns.write(new Uint8Array(48 * KIB), () => undefined);
    expect(parsed).toHaveLength(drawn + 16);
    now += 1_000;
  }
});

test('an echo on a slow page waits for nothing', async () => {
  const { turns, parsed } = slowParser();
  using _ = turns;
  turns.write(new Uint8Array([1]), () => undefined);
  drawFrame(200);
  await new Promise((told) => setTimeout(told));
  turns.write(new Uint8Array([2]), () => undefined);
  expect(parsed).toHaveLength(2);
});

test('all bytes are parsed once and in order, whatever is written in between', async () => {
  const { turns, bytes } = slowParser();
  using _ = turns;
  const all = Uint8Array.from({ length: 50 * KIB }, (_, index) => index % 251);
  const done: number[] = [];
  for (let at = 0; at < all.length; at += 7 * KIB) {
    turns.write(all.subarray(at, at + 7 * KIB), () => done.push(at));
  }
  await vi.waitUntil(() => bytes().length === all.length);
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
  const turns = new ParseTurns((bytes, done) => {
    written.push(...bytes);
    done?.();
  });
  using _ = turns;
  turns.write(new Uint8Array([1]), () => {
    turns.write(new Uint8Array([2]), () => undefined);
    expect(written).toEqual([1]);
  });
  expect(written).toEqual([1, 2]);
});
