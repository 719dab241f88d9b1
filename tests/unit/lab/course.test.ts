import { expect, test } from 'vitest';
import { type CourseLab, defineCourse, LabError } from '#lab';

const problems = (...labs: readonly CourseLab[]): readonly string[] => {
  try {
    defineCourse({ title: 'C', parts: [{ title: 'P', labs }] });
    return [];
  } catch (error) {
    if (error instanceof LabError) return error.problems;
    throw error;
  }
};

test('a course is labs in parts, each with what is before it', () => {
  expect(problems({ lab: 'web', minutes: 20 }, { lab: 'net', needs: ['web'] })).toEqual([]);
});

test('a lab that stands twice, or needs what comes later, is named', () => {
  expect(problems({ lab: 'web', needs: ['net'] }, { lab: 'net' }, { lab: 'web' })).toEqual([
    'lab "web" needs "net", which is no lab before it. There are none.',
    'lab "web" stands twice',
  ]);
});

test('a needed name that is slightly wrong gets the right one', () => {
  expect(problems({ lab: 'web' }, { lab: 'net', needs: ['wep'] })).toEqual([
    'lab "net" needs "wep", which is no lab before it. Did you mean "web"? There are: web.',
  ]);
});

test.each([0, -5, Number.NaN, 10_000])('%d minutes are no time', (minutes) => {
  expect(problems({ lab: 'web', minutes })).toEqual([
    'lab "web": minutes is a number from 1 to 1440',
  ]);
});
