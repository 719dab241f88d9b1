import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RoundTrip } from '../../../src/client/terminal/round-trip.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('the shortest of the last four counts, so that one delay is not the line’s', () => {
  const times = new RoundTrip();
  expect(times.least).toBe(0);
  for (const ms of [20, 900, 22]) times.add(ms);
  expect(times.least).toBe(20);
  expect(times.most).toBe(40);
  for (const ms of [200, 210, 205, 230]) times.add(ms);
  expect(times.least).toBe(200);
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
