import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import {
  AdmissionQueue,
  type QueueEntry,
  type QueuePosition,
} from '../../../server/capacity/admission-queue.ts';
import { hasMemoryFor } from '../../../server/capacity/memory.ts';
import type { Slot, Turn } from '../../../server/capacity/slot.ts';
import type { TakenSandbox } from '../../../server/capacity/warm-pool.ts';
import type { SandboxRuntime } from '../../../server/sandbox/runtime.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** A session that waits, and what it was told. */
class Entry implements QueueEntry {
  readonly lab = 'lab';
  slot: Slot | undefined;
  turn: Turn | undefined;
  warm: TakenSandbox | undefined;
  readonly positions: QueuePosition[] = [];
  onSlot(slot: Slot, turn: Turn): void {
    this.slot = slot;
    this.turn = turn;
  }
  onWarm(warm: TakenSandbox): void {
    this.warm = warm;
    this.slot = warm.slot;
  }
  onPosition(position: QueuePosition): void {
    this.positions.push(position);
  }
  get last(): QueuePosition | undefined {
    return this.positions.at(-1);
  }
  started(): void {
    this.turn?.[Symbol.dispose]();
  }
}

/** The slots here stay empty, so that no engine is asked for anything. */
const NO_ENGINE: Pick<SandboxRuntime, never> = {};

function queueWith({
  most = 2,
  startsAtOnce = 9,
  hasMemory = (): boolean => true,
  isOpen = true,
} = {}) {
  const failures: unknown[] = [];
  const background = new Background((_, error) => failures.push(error));
  const queue = new AdmissionQueue({
    runtime: NO_ENGINE as SandboxRuntime,
    instance: 'queue',
    background,
    closing: new AbortController().signal,
    most,
    startsAtOnce: () => startsAtOnce,
    hasMemory,
  });
  if (isOpen) queue.open();
  const come = (): Entry => {
    const entry = new Entry();
    queue.join(entry);
    return entry;
  };
  return { queue, come, failures };
}

describe('the admission queue', () => {
  test('admits at once while there is room, then in the order of coming', async () => {
    const { queue, come } = queueWith();
    using _ = queue;
    const [first, second, third, fourth] = [come(), come(), come(), come()];
    expect([first, second, third, fourth].map(({ slot }) => slot !== undefined)).toEqual([
      ...[true, true, false, false],
    ]);
    expect([first, second, third, fourth].map(({ last }) => last?.place)).toEqual([
      ...[undefined, undefined, 1, 2],
    ]);
    expect(third.last?.because).toBe('full');
    await first.slot?.release();
    expect(third.slot).toBeDefined();
    expect(fourth.last?.place).toBe(1);
  });

  test('gives the place of an entry that leaves to the next', async () => {
    const { queue, come } = queueWith({ most: 1 });
    using _ = queue;
    const [inside, second, third] = [come(), come(), come()];
    queue.leave(second);
    expect(third.last?.place).toBe(1);
    await inside.slot?.release();
    expect([second.slot, third.slot]).toEqual([undefined, expect.anything()]);
  });

  test('counts a slot once, however often it is given back', async () => {
    const { queue, come } = queueWith({ most: 1 });
    using _ = queue;
    const first = come();
    first.started();
    await first.slot?.release();
    await first.slot?.release();
    first.started();
    expect(queue.slots.size).toBe(0);
    const [second, third] = [come(), come()];
    expect([second.slot, third.slot]).toEqual([expect.anything(), undefined]);
  });

  test('lets so many start side by side, and estimates by how long starts take', () => {
    const { queue, come } = queueWith({ most: 9, startsAtOnce: 1 });
    using _ = queue;
    const [first, second] = [come(), come()];
    expect(second.last).toEqual({ place: 1, because: 'busy' });
    const third = come();
    vi.setSystemTime(3_000);
    first.started();
    expect(second.slot).toBeDefined();
    expect(third.last).toEqual({ place: 1, because: 'busy', waitSeconds: 3 });
  });

  test('lets a slot that is there already start before the entries that wait for one', async () => {
    const { queue, come } = queueWith({ most: 9, startsAtOnce: 1 });
    using _ = queue;
    const first = come();
    const waiting = come();
    const again = first.slot?.turn(true, new AbortController().signal);
    first.started();
    using _turn = await again;
    expect(waiting.slot).toBeUndefined();
  });

  test('forgets a slot’s wait for its turn when that is given up', async () => {
    const { queue, come } = queueWith({ most: 9, startsAtOnce: 1 });
    using _ = queue;
    const first = come();
    const waiting = come();
    const stop = new AbortController();
    const again = first.slot?.turn(true, stop.signal);
    stop.abort(new Error('reset'));
    await expect(again).rejects.toThrow('reset');
    first.started();
    expect(waiting.slot).toBeDefined();
  });

  test('counts the slots of what an earlier server has left', () => {
    const { queue, come } = queueWith({ most: 1 });
    using _ = queue;
    queue.takeUp();
    expect(come().slot).toBeUndefined();
  });

  test('estimates the wait by how often sandboxes end, and claims nothing before it has seen two', async () => {
    const { queue, come } = queueWith({ most: 3 });
    using _ = queue;
    const inside = [come(), come(), come()];
    const waiting = [come(), come(), come(), come()];
    expect(waiting[0]?.last).toEqual({ place: 1, because: 'full' });
    vi.setSystemTime(60_000);
    await inside[0]?.slot?.release();
    expect(waiting[1]?.last).toEqual({ place: 1, because: 'full' });
    vi.setSystemTime(120_000);
    await inside[1]?.slot?.release();
    expect(waiting[3]?.last).toEqual({ place: 2, because: 'full', waitSeconds: 60 });
  });

  test('waits for memory, and looks for it by itself', () => {
    let memory = false;
    const { queue, come } = queueWith({ hasMemory: () => memory });
    using _ = queue;
    const entry = come();
    expect(entry.last).toEqual({ place: 1, because: 'full' });
    memory = true;
    vi.advanceTimersToNextTimer();
    expect(entry.slot).toBeDefined();
  });

  test('admits nobody and leaves no timer once it is closed', async () => {
    const { queue, come } = queueWith({ most: 1 });
    const [inside, waiting] = [come(), come()];
    queue[Symbol.dispose]();
    await inside.slot?.release();
    expect(waiting.slot).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('before it is open, only what is there already has a slot', () => {
  const { queue, come } = queueWith({ isOpen: false });
  using _ = queue;
  queue.takeUp();
  const entry = come();
  expect(entry.slot).toBeUndefined();
  expect(queue.takeSpare()).toBeUndefined();
  queue.open();
  expect(entry.slot).toBeDefined();
});

test('a sandbox that is gone is made again when there is room, and one that is there needs none', async () => {
  const { queue } = queueWith({ most: 1 });
  using _ = queue;
  const { signal } = new AbortController();
  const [orphan, gone, there] = [queue.takeUp(), queue.takeUp(), queue.takeUp()];
  let isMade = false;
  const making = gone.turn(true, signal).then(() => {
    isMade = true;
  });
  using _turn = await there.turn(false, signal);
  await orphan.release();
  expect(isMade).toBe(false);
  await there.release();
  await making;
});

describe('the admission queue beside a pool', () => {
  test('gives out a warm sandbox at once, starts under way or not', () => {
    const { queue, come } = queueWith({ startsAtOnce: 1 });
    using _ = queue;
    come();
    const warm: Partial<TakenSandbox> = { slot: queue.takeUp(), terminals: [] };
    const ready = [warm as TakenSandbox];
    queue.spares = { take: () => ready.shift(), evictOne() {}, fill() {} };
    expect(come().warm).toBe(warm);
    expect(queue.slots.size).toBe(2);
  });

  test('has a spare removed before anybody waits for an end, and admits when it is gone', async () => {
    const { queue, come } = queueWith({ most: 1 });
    using _ = queue;
    const spare = queue.takeSpare();
    expect(spare).toBeDefined();
    const evict = vi.fn();
    queue.spares = { take: () => undefined, evictOne: evict, fill() {} };
    const entry = come();
    expect(entry.slot).toBeUndefined();
    expect(evict).toHaveBeenCalled();
    await spare?.release();
    expect(entry.slot).toBeDefined();
  });

  test('gives the pool a slot where nobody waits or starts and there is room', async () => {
    const { queue, come } = queueWith({ most: 1 });
    using _ = queue;
    const fill = vi.fn();
    queue.spares = { take: () => undefined, evictOne() {}, fill };
    const entry = come();
    expect(fill).not.toHaveBeenCalled();
    expect(queue.takeSpare()).toBeUndefined();
    entry.started();
    expect(fill).toHaveBeenCalledOnce();
    expect(queue.takeSpare()).toBeUndefined();
    await entry.slot?.release();
    expect(queue.takeSpare()).toBeDefined();
  });
});

test('memory is kept for those who are starting, and a system that does not tell is trusted', () => {
  const GIB = 1024 ** 3;
  expect([hasMemoryFor(0, GIB), hasMemoryFor(5, GIB), hasMemoryFor(50, undefined)]).toEqual([
    true,
    false,
    true,
  ]);
});
