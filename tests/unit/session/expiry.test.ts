import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { type Expiry, ExpiryTimer } from '../../../server/session/expiry.ts';

const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

function lifetime(idle: number, total: number, startedAt = Date.now()) {
  const said: (string | undefined)[] = [];
  let output = 0;
  let isBusy = false;
  const life = new ExpiryTimer({
    limits: { idleMs: idle * MINUTE, totalMs: total * MINUTE },
    startedAt,
    extendedMs: 0,
    lastOutput: () => output,
    isBusy: () => isBusy,
    background: new Background(() => undefined),
    onWarning: (ending: Expiry | undefined) => said.push(ending?.because ?? 'off'),
    onEnd: (because) => said.push(`end ${because}`),
  });
  return {
    life,
    said,
    print: () => {
      output = Date.now();
    },
    run: (runs: boolean) => {
      isBusy = runs;
    },
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

test('without limits nothing ever happens', () => {
  using it = lifetime(0, 0);
  vi.advanceTimersByTime(100 * 24 * 60 * MINUTE);
  expect(it.said).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('an idle session is warned five minutes ahead, then ends', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(25 * MINUTE - 1);
  expect(it.said).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(it.said).toEqual(['idle']);
  expect(it.life.warned?.at).toBe(1_000_000 + 30 * MINUTE);
  vi.advanceTimersByTime(5 * MINUTE);
  expect(it.said).toEqual(['idle', 'end idle']);
  it.life[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test('activity puts the end off, and takes a warning back', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(24 * MINUTE);
  it.life.touch();
  vi.advanceTimersByTime(24 * MINUTE);
  expect(it.said).toEqual([]);
  vi.advanceTimersByTime(2 * MINUTE);
  it.life.touch();
  expect(it.said).toEqual(['idle', 'off']);
});

test('output of a command counts, though nobody is told of it', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(20 * MINUTE);
  it.print();
  vi.advanceTimersByTime(20 * MINUTE);
  expect(it.said).toEqual([]);
  vi.advanceTimersByTime(6 * MINUTE);
  it.print();
  vi.advanceTimersByTime(1_000);
  expect(it.said).toEqual(['idle', 'off']);
});

test('the whole time ends however busy the learner is, but for an extension', () => {
  using it = lifetime(30, 60);
  for (let minute = 0; minute < 56; minute++) {
    vi.advanceTimersByTime(MINUTE);
    it.life.touch();
  }
  expect(it.said).toEqual(['total']);
  expect(it.life.extend()).toBe(30 * MINUTE);
  expect(it.said).toEqual(['total', 'off']);
  vi.advanceTimersByTime(20 * MINUTE);
  it.life.touch();
  vi.advanceTimersByTime(15 * MINUTE);
  expect(it.said.at(-1)).toBe('end total');
});

test('a session whose time ran out while the server was away is warned all the same', () => {
  using it = lifetime(0, 60, Date.now() - 90 * MINUTE);
  vi.advanceTimersByTime(1);
  expect(it.said).toEqual(['total']);
  vi.advanceTimersByTime(5 * MINUTE);
  expect(it.said).toEqual(['total', 'end total']);
});

test('a machine that slept past the end warns first, for as long as a warning lasts', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(10 * MINUTE);
  // The lid is closed: the wall clock goes on, timers and the monotonic clock stand still.
  vi.setSystemTime(Date.now() + 600 * MINUTE);
  vi.advanceTimersByTime(15 * MINUTE + 1);
  expect(it.said).toEqual(['idle']);
  expect(it.life.warned?.at).toBe(Date.now() + 5 * MINUTE - 1);
  vi.advanceTimersByTime(4 * MINUTE);
  expect(it.said).toEqual(['idle']);
  vi.advanceTimersByTime(MINUTE);
  expect(it.said).toEqual(['idle', 'end idle']);
});

test('a learner who is back after the machine slept stays', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(1);
  vi.setSystemTime(Date.now() + 600 * MINUTE);
  vi.advanceTimersByTime(25 * MINUTE);
  it.life.touch();
  expect(it.said).toEqual(['idle', 'off']);
});

test('a command in the foreground holds an idle session, for a day at most', () => {
  using it = lifetime(30, 0);
  it.run(true);
  vi.advanceTimersByTime(23 * 60 * MINUTE);
  expect(it.said).toEqual([]);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(it.said.slice(0, 2)).toEqual(['idle', 'end idle']);
});

test('a session that a command has held ends when it would have, once that has ended', () => {
  using it = lifetime(30, 0);
  it.run(true);
  vi.advanceTimersByTime(45 * MINUTE);
  it.run(false);
  it.print();
  vi.advanceTimersByTime(29 * MINUTE);
  expect(it.said).toEqual(['idle']);
  vi.advanceTimersByTime(1 * MINUTE);
  expect(it.said.slice(0, 2)).toEqual(['idle', 'end idle']);
});

test('an end that was not carried out is asked for again, unless somebody has come meanwhile', () => {
  using it = lifetime(30, 0);
  vi.advanceTimersByTime(31 * MINUTE);
  expect(it.said.filter((each) => each === 'end idle').length).toBeGreaterThan(1);
  it.life.touch();
  const before = it.said.length;
  vi.advanceTimersByTime(20 * MINUTE);
  expect(it.said.slice(before)).toEqual([]);
});
