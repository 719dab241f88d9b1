import { expect, test } from 'vitest';
import { offeredLabs } from '../../../server/labs/offered.ts';
import { LAB_WITH_CHECKS } from '../web/stage.ts';

const ALL = new Map(['components', 'networking', 'storage'].map((name) => [name, LAB_WITH_CHECKS]));
const offered = (named: readonly string[], isClass: boolean) => [
  ...offeredLabs(ALL, named, isClass).keys(),
];

test('a class has no examples of the authors’, and a single user has them last', () => {
  expect(offered([], true)).toEqual(['networking', 'storage']);
  expect(offered([], false)).toEqual(['networking', 'storage', 'components']);
});

test('the labs that are named are those there are, in that order', () => {
  expect(offered(['storage', 'components'], true)).toEqual(['storage', 'components']);
  expect(offered(['storage'], true)).toEqual(['storage']);
});

test('an author who names labs has the examples as well, which the guide leads to', () => {
  expect(offered(['storage'], false)).toEqual(['storage', 'components']);
});

test('a name that is no lab’s is refused, with the nearest that is', () => {
  expect(() => offered(['storag'], true)).toThrow(
    'There is no lab named storag. Did you mean storage?',
  );
});
