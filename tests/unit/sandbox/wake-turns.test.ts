import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

const NEVER = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets all that waits for nothing go on. */
const settled = () => vi.advanceTimersByTimeAsync(0);

/** Works that are begun and ended by hand. */
function engines(turns: WakeTurns) {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const wake = (name: string, early = NEVER) =>
    turns.take(() => {
      begun.push(name);
      const end = Promise.withResolvers<void>();
      ends.set(name, end);
      return end.promise;
    }, early);
  return { begun, wake, end: (name: string) => ends.get(name) };
}

test('as many as there are processors are woken at once, and each that answers makes room for the next', async () => {
  const { begun, wake, end } = engines(new WakeTurns(2));
  const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => wake(name)));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b')?.resolve();
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
  for (const name of ['a', 'c']) end(name)?.resolve();
  await settled();
  end('d')?.resolve();
  await all;
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

test('one that does not answer keeps its turn for a time only, and is still waited for by its own', async () => {
  const { begun, wake, end } = engines(new WakeTurns(1));
  const slow = wake('slow');
  const next = wake('next');
  await settled();
  expect(begun).toEqual(['slow']);
  await vi.runAllTimersAsync();
  expect(begun).toEqual(['slow', 'next']);
  end('slow')?.resolve();
  end('next')?.resolve();
  await Promise.all([slow, next]);
});

test('one that is woken by somebody else waits for no turn', async () => {
  const { begun, wake, end } = engines(new WakeTurns(1));
  const noticed = new AbortController();
  const first = wake('first');
  const second = wake('second', noticed.signal);
  await settled();
  expect(begun).toEqual(['first']);
  noticed.abort();
  await settled();
  expect(begun).toEqual(['first', 'second']);
  end('second')?.resolve();
  await second;
  end('first')?.resolve();
  await first;
  expect(begun).toEqual(['first', 'second']);
});

test('one that fails is told to its own, and gives its turn away', async () => {
  const { wake, begun, end } = engines(new WakeTurns(1));
  const failing = wake('failing').catch((error: Error) => error.message);
  const next = wake('next');
  await settled();
  end('failing')?.reject(new Error('away'));
  expect(await failing).toBe('away');
  await settled();
  expect(begun).toEqual(['failing', 'next']);
  end('next')?.resolve();
  await next;
});
