import { expect, test } from 'vitest';
import type { LabProgress, RosterLab, RosterLearner } from '#protocol';
import { busiestLab, passedOf, stateWord } from '../../../src/client/class/roster-order.ts';

const [FIRST, SECOND] = ['first', 'second'].map(
  (name): RosterLab => ({ name, title: name, steps: [] }),
);
const LABS = [FIRST, SECOND].filter((lab) => lab !== undefined);

function learner(at: string, progress: Partial<LabProgress> = { state: 'ready' }): RosterLearner {
  const none: LabProgress = { state: 'none', hosts: [], passed: {}, helped: {}, terminals: [] };
  return {
    ...{ id: at, name: at, joinedAt: 0, present: true, mayType: false },
    labs: { first: none, second: none, [at]: { ...none, ...progress } },
  };
}

test('the roster shows the lab that most of the class is at, hosts up or not', () => {
  const passed = { passed: { a: 1 } };
  const class1 = [learner('second'), learner('second', passed), learner('first')];
  expect(busiestLab(class1, LABS, undefined)).toBe(SECOND);
});

test('before anybody has begun, it is the first; while as many are at both, it stays', () => {
  expect(busiestLab([learner('first', {})], LABS, undefined)).toBe(FIRST);
  expect(busiestLab([learner('first'), learner('second')], LABS, SECOND)).toBe(SECOND);
});

test('optional steps are counted apart from those that a lab is done by', () => {
  const steps = ['a', 'b', 'more'].map((id) => ({
    ...{ id, title: id, section: 's' },
    ...(id === 'more' && { optional: true as const }),
  }));
  const lab = { name: 'first', title: 'first', steps };
  const one = learner('first', { passed: { a: 1, more: 2 } });
  expect([passedOf(one, lab), passedOf(one, lab, true)]).toEqual([1, 1]);
});

test('of hosts that are stopped, it says since when', () => {
  const since = new Date(2026, 10, 24).getTime();
  const { labs } = learner('first', { state: 'stopped', stopped: { since, until: since + 1 } });
  expect(stateWord(labs.first)).toMatch(/^stopped since .*24/);
});
