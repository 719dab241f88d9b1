import { expect, test } from 'vitest';
import { defineLab, notYet } from '#lab';
import type { Step } from '#steps';
import { ExpectationFailed } from '../../../client-driver/expectation-failed.ts';
import { Report } from '../../../lab-test/report.ts';
import { tableOf } from '../../../lab-test/table.ts';

const IDS = ['a', 'b', 'c'] as const;

const lab = defineLab({
  title: 'Told',
  hosts: { server01: { address: '10.1.10.11/24' } },
  browser: 'server01',
  sections: [
    {
      page: 'one',
      title: 'One',
      checks: IDS.map((id) => ({ id, title: id, test: () => notYet('Not yet.') })),
    },
  ],
});

const steps = IDS.map(
  (id, index): Step => ({
    ...{ id, page: 'one', heading: id, file: 'one.mdx', line: 10 * (index + 1) },
    ...{ actions: [], checks: [id] },
  }),
);
const [a, b, c] = steps as [Step, Step, Step];

const right = async () => undefined;
const wrong = (seen: string) => () => Promise.reject(new ExpectationFailed('b to pass', seen));

test('a step that no run has done is marked so, although its check was asked', async () => {
  const report = new Report();
  for (const step of steps)
    await report.attempt('fifty times, at the start', step, undefined, right);
  await report.attempt('as written', a, undefined, right);
  await report.attempt('as written', b, undefined, wrong('not yet'));
  const lines = tableOf({ steps, report }, lab, 0).split('\n');
  expect(lines.flatMap((line) => /^([✓✗·]) {2}(\w) /.exec(line)?.slice(1).join('') ?? [])).toEqual([
    '✓a',
    '✗b',
    '·c',
  ]);
});

test('a check that says something else each time it is asked is marked so without having been done', async () => {
  const report = new Report();
  await report.attempt('fifty times, at the start', c, undefined, wrong('two answers'));
  expect(tableOf({ steps: [c], report }, lab, 0)).toContain('✗  c ');
});

test('what several runs met alike is told once, with all of them', async () => {
  const report = new Report();
  await report.attempt('as written', b, undefined, wrong('not yet, “No.”'));
  await report.attempt('on the way', b, undefined, wrong('not yet, “No.”'));
  await report.attempt('wrong ways', b, 'a slip', wrong('not yet, “No.”'));
  const lines = tableOf({ steps, report }, lab, 0).split('\n');
  expect(lines.filter((line) => line.startsWith('✗ one.mdx'))).toEqual([
    '✗ one.mdx:20 b (as written, on the way): expected b to pass; seen: not yet, “No.”',
    '✗ one.mdx:20 b (wrong ways: a slip): expected b to pass; seen: not yet, “No.”',
  ]);
  expect(lines.at(-1)).toContain('3 of 3 failed');
});
