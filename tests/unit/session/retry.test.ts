import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { ReconcileLoop } from '../../../server/session/retry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A sandbox that is looked at: each look waits until it is answered. */
function sandbox({ mostLooks = Number.POSITIVE_INFINITY } = {}) {
  const looks: PromiseWithResolvers<void>[] = [];
  const stop = new AbortController();
  const failures: unknown[] = [];
  const background = new Background((_, error) => failures.push(error));
  const loop = new ReconcileLoop({
    look: () => {
      const look = Promise.withResolvers<void>();
      looks.push(look);
      return look.promise;
    },
    onFailure: (_, count) => count < mostLooks,
    background,
    signal: stop.signal,
  });
  const last = () => looks.at(-1) ?? Promise.withResolvers<void>();
  return { loop, looks, last, stop, background, failures };
}

const flushed = () => vi.advanceTimersByTimeAsync(0);

describe('the reconcile loop', () => {
  test('looks once for all who ask before the look begins, and once more for who asks during it', async () => {
    const it = sandbox();
    const first = it.loop.request();
    const during = it.loop.request();
    const alsoDuring = it.loop.request();
    await flushed();
    expect(it.looks).toHaveLength(1);
    it.last().resolve();
    await first;
    await flushed();
    expect(it.looks).toHaveLength(2);
    it.last().resolve();
    await Promise.all([during, alsoDuring]);
    await it.background.settled();
    expect(it.looks).toHaveLength(2);
  });

  test('looks again after a failure, later each time, until a look succeeds', async () => {
    const it = sandbox();
    const well = it.loop.request();
    const waits: number[] = [];
    for (let look = 1; look <= 7; look++) {
      await flushed();
      expect(it.looks).toHaveLength(look);
      it.last().reject(new Error('the engine is busy'));
      await flushed();
      const before = Date.now();
      await vi.advanceTimersToNextTimerAsync();
      waits.push(Date.now() - before);
    }
    it.last().resolve();
    await well;
    expect(waits).toEqual([500, 2_000, 5_000, 15_000, 30_000, 30_000, 30_000]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('looks at once for who asks while it waits', async () => {
    const it = sandbox();
    const first = it.loop.request();
    await flushed();
    it.last().reject(new Error('the engine is away'));
    await flushed();
    const second = it.loop.request();
    await flushed();
    expect(it.looks).toHaveLength(2);
    it.last().resolve();
    await Promise.all([first, second]);
    await it.background.settled();
    expect(it.looks).toHaveLength(2);
  });

  /** Lets so many looks fail that the next one is waited for long. */
  async function longAway(it: ReturnType<typeof sandbox>): Promise<void> {
    for (let look = 1; look <= 4; look++) {
      await vi.advanceTimersToNextTimerAsync();
      it.last().reject(new Error('the engine is away'));
      await flushed();
    }
  }
  const untilNextLook = async () => {
    const before = Date.now();
    await vi.advanceTimersToNextTimerAsync();
    return Date.now() - before;
  };

  test('begins with the shortest wait again once somebody has asked, however long it had been in vain', async () => {
    const it = sandbox();
    const first = it.loop.request();
    await longAway(it);
    const back = it.loop.request();
    await flushed();
    expect(it.looks).toHaveLength(5);
    it.last().reject(new Error('the engine has only begun to start'));
    await flushed();
    expect(await untilNextLook()).toBe(500);
    it.last().resolve();
    await Promise.all([first, back]);
    await it.background.settled();
    expect(it.looks).toHaveLength(6);
  });

  test('forgets nobody who asked during a look that failed', async () => {
    const it = sandbox();
    const first = it.loop.request();
    await longAway(it);
    expect(await untilNextLook()).toBe(15_000);
    const back = it.loop.request();
    it.last().reject(new Error('it was put to the engine that is gone'));
    await flushed();
    expect(await untilNextLook()).toBe(500);
    it.last().resolve();
    await Promise.all([first, back]);
    await it.background.settled();
    expect(it.looks).toHaveLength(6);
  });

  test('says what the last look said where there is to be no other, and looks again when asked', async () => {
    const it = sandbox({ mostLooks: 2 });
    const first = it.loop.request();
    await flushed();
    it.last().reject(new Error('first'));
    await vi.advanceTimersToNextTimerAsync();
    it.last().reject(new Error('second'));
    await expect(first).rejects.toThrow('second');
    const again = it.loop.request();
    await flushed();
    it.last().resolve();
    await again;
    expect(it.failures).toEqual([]);
  });

  test('begins no look once it is stopped, and leaves no timer', async () => {
    const it = sandbox();
    const first = it.loop.request();
    await flushed();
    it.last().reject(new Error('the engine is busy'));
    await flushed();
    it.stop.abort(new Error('reset'));
    await expect(first).rejects.toThrow('reset');
    await it.background.settled();
    expect(it.looks).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
