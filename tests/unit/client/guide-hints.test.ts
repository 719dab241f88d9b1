import { expect, test } from 'vitest';
import { checksOfHints, type Landmark } from '../../../src/client/guide/hints.ts';

const check = (id: string): Landmark => ({ kind: 'check', id });
const deed: Landmark = { kind: 'deed' };
const hint: Landmark = { kind: 'hint' };

test.each([
  ['after a check it helps with that check', [deed, check('a'), hint, deed, check('b')], ['a']],
  ['so do its neighbours', [deed, check('a'), hint, hint], ['a', 'a']],
  ['before a check it helps with the one that comes', [check('a'), deed, hint, check('b')], ['b']],
  ['on top of the page it helps with the first check', [hint, deed, check('a')], ['a']],
  ['after a last deed there is nothing to help with', [check('a'), deed, hint], [undefined]],
])('a hint: %s', (_, marks, checks) => {
  expect(checksOfHints(marks)).toEqual(checks);
});
