import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RoundTrip } from '../../../src/client/terminal/round-trip.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('the shortest of the last four but one counts, so that one delay is not the line’s', () => {
  const times = new RoundTrip();
  expect(times.least).toBe(0);
  for (const ms of [20, 900]) times.add(ms);
  expect(times.least).toBe(20);
  times.add(22);
  expect(times.least).toBe(22);
  expect(times.most).toBe(44);
  for (const ms of [200, 210, 205, 230]) times.add(ms);
  expect(times.least).toBe(205);
  expect(times.most).toBe(230);
});

test('a key typed while an echo is under way is not taken for answered by it', () => {
  const times = new RoundTrip();
  times.sent();
  vi.advanceTimersByTime(200);
  times.came();
  vi.advanceTimersByTime(1_000);
  times.sent();
  vi.advanceTimersByTime(150);
  times.sent();
  vi.advanceTimersByTime(50);
  times.came();
  times.sent();
  vi.advanceTimersByTime(150);
  times.came();
  expect(times.least).toBe(200);
});

test('output that comes right after a key, and is no answer to it, makes no slow line a quick one', () => {
  const times = new RoundTrip();
  for (const ms of [1_000, 1_000]) times.add(ms);
  vi.advanceTimersByTime(10_000);
  times.sent();
  vi.advanceTimersByTime(5);
  times.came();
  expect(times.least).toBe(1_000);
});

test('a line that was once taken for a quick one is measured as slow again while somebody types fast', () => {
  const times = new RoundTrip();
  for (const ms of [1_000, 5, 5, 5]) times.add(ms);
  for (let key = 0; key < 100; key++) {
    vi.advanceTimersByTime(30);
    times.sent();
    // The echo of a key of a second ago.
    if (key >= 33) times.came();
  }
  vi.advanceTimersByTime(1_000);
  times.came();
  for (let line = 0; line < 3; line++) {
    vi.advanceTimersByTime(2_000);
    times.sent();
    vi.advanceTimersByTime(1_000);
    times.came();
  }
  expect(times.least).toBe(1_000);
});
