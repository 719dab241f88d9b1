import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TokenBucket } from '../../../server/base/token-bucket.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a burst is there at once, and the rest comes with time, up to a burst', () => {
  const bucket = new TokenBucket(10, 2);
  expect([bucket.take(10), bucket.take()]).toEqual([true, false]);
  vi.advanceTimersByTime(1_000);
  expect([bucket.take(3), bucket.take(2), bucket.take()]).toEqual([false, true, false]);
  vi.advanceTimersByTime(3_600_000);
  expect([bucket.take(11), bucket.take(10)]).toEqual([false, true]);
});

test('whoever waits for a turn gets them at the pace', async () => {
  const bucket = new TokenBucket(1, 2);
  let turns = 0;
  const stopped = new AbortController();
  const waiting = (async () => {
    for (;;) {
      await bucket.turn(stopped.signal);
      turns++;
    }
  })();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(turns).toBe(11);
  stopped.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('how long it takes until there is one is known, and whether all has come back', () => {
  const bucket = new TokenBucket(2, 0.5);
  expect([bucket.wait, bucket.isFull]).toEqual([0, true]);
  bucket.take(2);
  expect([bucket.wait, bucket.isFull]).toEqual([2_000, false]);
  vi.advanceTimersByTime(1_500);
  expect(bucket.wait).toBe(500);
  vi.advanceTimersByTime(2_500);
  expect([bucket.wait, bucket.isFull]).toEqual([0, true]);
});

test('a clock that is set back takes nothing away', () => {
  const bucket = new TokenBucket(2, 1);
  vi.setSystemTime(Date.now() - 3_600_000);
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
});
