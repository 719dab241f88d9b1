import { expect, test } from 'vitest';
import { type Lab, notYet } from '#lab';
import type { Step } from '#steps';
import { type Route, routesOf } from '../../../lab-test/plan.ts';

/** A step of one check, and how many mistakes and other right ways that has. */
interface Made {
  readonly page: string;
  readonly id: string;
  readonly wrong: number;
  readonly other: number;
}

const THREE_PAGES: readonly Made[] = [
  { page: 'one', id: 'a', wrong: 2, other: 3 },
  { page: 'one', id: 'b', wrong: 1, other: 1 },
  { page: 'two', id: 'c', wrong: 0, other: 2 },
  { page: 'two', id: 'd', wrong: 1, other: 0 },
  { page: 'three', id: 'e', wrong: 1, other: 1 },
];

function stepOf({ page, id }: Made): Step {
  return { id, page, heading: id, file: `${page}.mdx`, line: 1, actions: [], checks: [id] };
}

function labOf(
  made: readonly Made[],
  anyOrder: readonly string[] = [],
): Pick<Lab, 'checks' | 'sections'> {
  const pages = [...new Set(made.map(({ page }) => page))];
  return {
    sections: pages.map((page) => ({
      ...{ page, title: page, checks: [] },
      ...(anyOrder.includes(page) && { anyOrder: true as const }),
    })),
    checks: made.map(({ id, wrong, other }) => ({
      id,
      title: id,
      test: () => notYet('Not yet.'),
      mistakes: Array.from({ length: wrong }, (_, nth) => ({
        what: `${nth}`,
        actions: [],
        says: 'no',
      })),
      alternatives: Array.from({ length: other }, (_, nth) => ({
        what: `${id}${nth}`,
        actions: [],
      })),
    })),
  };
}

const BOTH = { wrong: true, other: true };
const steps = THREE_PAGES.map(stepOf);
const lab = labOf(THREE_PAGES);

function mistakesAt({ stops }: Route): readonly string[] {
  return stops.filter(({ hasMistakes }) => hasMistakes).map(({ step }) => step.id);
}

function detoursOf({ stops }: Route): readonly string[] {
  return stops.flatMap(({ detour }) => detour?.alternative.what ?? []);
}

test('every mistake and every other right way is on a route, and each on one only', () => {
  const routes = routesOf(lab, steps, steps, BOTH);
  expect(routes.flatMap(mistakesAt).sort()).toEqual(['a', 'b', 'd', 'e']);
  expect(routes.flatMap(detoursOf).sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'c0', 'c1', 'e0']);
});

test('other right ways need no routes of their own where those of mistakes will do', () => {
  const routes = routesOf(lab, steps, steps, BOTH);
  expect(routes.map(({ title }) => title)).toEqual([
    'wrong ways, one',
    'wrong ways, two',
    'wrong ways, three',
  ]);
});

test('a route ends at the last step that it is for', () => {
  const [first] = routesOf(lab, steps, steps, BOTH);
  expect(first?.stops.map(({ step }) => step.id)).toEqual(['a', 'b']);
});

test('without mistakes, other right ways make routes of their own', () => {
  const routes = routesOf(lab, steps, steps, { wrong: false, other: true });
  expect(routes.map(({ title }) => title)).toEqual([
    'other right way 1',
    'other right way 2',
    'other right way 3',
  ]);
  expect(routes.flatMap(mistakesAt)).toEqual([]);
  expect(routes.flatMap(detoursOf).sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'c0', 'c1', 'e0']);
});

test('steps that were not asked for are only passed on the way', () => {
  const chosen = steps.filter(({ page }) => page === 'two');
  const routes = routesOf(lab, steps, chosen, BOTH);
  expect(routes.flatMap(mistakesAt)).toEqual(['d']);
  expect(routes.flatMap(detoursOf).sort()).toEqual(['c0', 'c1']);
  expect(routes[0]?.stops.map(({ step, isVerified }) => [step.id, isVerified])).toEqual([
    ['a', false],
    ['b', false],
    ['c', true],
    ['d', true],
  ]);
});

test('a lab without any of them has no routes', () => {
  const bare = THREE_PAGES.map((made) => ({ ...made, wrong: 0, other: 0 }));
  expect(routesOf(labOf(bare), steps, steps, BOTH)).toEqual([]);
});

test('steps in any order are done from the last to the first as well, once those before them are', () => {
  const steps = THREE_PAGES.map(stepOf);
  const lab = labOf(THREE_PAGES, ['two', 'three']);
  const [route, ...others] = routesOf(lab, steps, steps, { wrong: false, other: true }).filter(
    ({ title }) => title.startsWith('in another order'),
  );
  expect(route?.stops.map(({ step, isVerified }) => [step.id, isVerified])).toEqual([
    ['a', false],
    ['b', false],
    ['d', true],
    ['c', true],
  ]);
  expect(others).toEqual([]);
  const none = routesOf(lab, steps, steps, { wrong: true, other: false });
  expect(none.map(({ title }) => title)).not.toContain(route?.title);
});
