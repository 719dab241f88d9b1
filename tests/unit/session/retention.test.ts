import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { keepWithin, whyStopped } from '../../../server/session/retention.ts';
import { Store } from '../../../server/store/store.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 10, 12);

let undo: DisposableStack;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  undo = new DisposableStack();
});
afterEach(() => {
  undo.dispose();
  vi.useRealTimers();
});

/** Sessions that were stopped so many days ago, on a disk that is as full as is said. */
async function kept(...daysAgo: readonly number[]) {
  const store = undo.use(new Store(':memory:'));
  for (const [index, days] of daysAgo.entries()) {
    const session = store.session(store.learners.create().learner, 'harbour');
    await session.begin({ sandbox: `box${index}`, at: 1 });
    await session.stop(`box${index}`, NOW - days * DAY, 'idle');
  }
  const removed: (readonly [string | undefined, string])[] = [];
  const disk = { fill: 50 as number | undefined, freedBy: 0 };
  const stop = new AbortController();
  undo.defer(() => stop.abort());
  keepWithin(
    {
      retention: { keepMs: 14 * DAY, fillPercent: 80 },
      stopped: () => store.stoppedSessions(),
      remove: async (session, reason) => {
        removed.push([session.row.sandbox, reason]);
        session.setEnded(reason);
        if (disk.fill !== undefined) disk.fill -= disk.freedBy;
      },
      fill: async () => disk.fill,
      background: new Background(() => undefined),
    },
    stop.signal,
  ).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  return { removed, disk, later: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test('what was stopped for long enough is removed, with a word that says since when', async () => {
  const { removed, later } = await kept(13, 15, 2);
  expect(removed).toEqual([['box1', expect.stringMatching(/since 26 October.*10 November/)]]);
  await later(DAY);
  expect(removed.map(([sandbox]) => sandbox)).toEqual(['box1', 'box0']);
});

test('while the disk is too full, the oldest goes first, and no more than need to', async () => {
  const { removed, disk, later } = await kept(3, 5, 1);
  expect(removed).toEqual([]);
  Object.assign(disk, { fill: 85, freedBy: 3 });
  await later(60_000);
  expect(removed).toEqual([
    ['box1', expect.stringContaining('disk was nearly full')],
    ['box0', expect.stringContaining('disk was nearly full')],
  ]);
});

test('where nobody can tell how full the disk is, only days count', async () => {
  const { removed, disk, later } = await kept(13);
  disk.fill = undefined;
  await later(60_000);
  expect(removed).toEqual([]);
  await later(DAY);
  expect(removed).toHaveLength(1);
});

test('the learner is told until when hosts are kept', () => {
  expect(whyStopped('idle', NOW)).toMatch(/^Nothing was done here .* until 10 November/);
});
