import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { Class } from '../../../server/class/class.ts';
import { Roster } from '../../../server/class/roster.ts';
import { Store } from '../../../server/store/store.ts';
import { FakeSessions, LAB, LAB_WITH_CHECKS } from '../web/stage.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('learners are looked at again for an instructor who looks, and for nobody else', () => {
  using store = new Store(':memory:');
  const sessions = new FakeSessions();
  const classroom = new Class({ store, name: 'C', learnersMost: 9 });
  using roster = new Roster({
    classroom,
    store,
    sessions,
    background: new Background(() => undefined),
    labs: new Map([[LAB, LAB_WITH_CHECKS]]),
  });
  const looksAfter = (change: () => void): number => {
    change();
    const before = sessions.asked.length;
    vi.advanceTimersByTime(60_000);
    return sessions.asked.length - before;
  };
  const { learner } = classroom.join('127.0.0.1', classroom.code, 'Ada').member;
  expect(looksAfter(() => roster.entry(learner))).toBe(0);
  using _ = roster.subscribe(() => undefined);
  expect(looksAfter(() => roster.setHand(learner, true))).toBe(1);
});
