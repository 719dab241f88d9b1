import { expect, test } from 'vitest';
import type { NodeView } from '#protocol';
import { drainText, roomText } from '../../../src/client/class/node-words.ts';

function node(changes: Partial<NodeView> = {}): NodeView {
  return { id: 'n1', name: 'node1 (n1)', state: 'ready', learners: 3, room: 12, ...changes };
}

test('the room left is said in words', () => {
  expect([roomText(12), roomText(0)]).toEqual(['room for 12 more', 'no room']);
});

test('a drain is said to give learners fresh hosts elsewhere, and to take what was not a step', () => {
  const said = drainText(node(), 3);
  expect(said).toContain('Its 3 learners get fresh hosts on another machine');
  expect(said).toContain('what they passed is done again for them');
  expect(said).toContain('what else they made there is gone');
  expect(said).not.toContain('room');
});

test('where the others have too little room, it is said who waits', () => {
  expect(drainText(node(), 2)).toContain('The other machines have room for 2');
  expect(drainText(node({ learners: 1 }), 0)).toContain('No other machine has room now');
});

test('one that nobody is on is drained for those to come', () => {
  expect(drainText(node({ learners: 0 }), 0)).toBe(
    'No learner is at work on it. It gets none until you take it back.',
  );
});
