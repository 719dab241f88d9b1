import { expect, test } from 'vitest';
import { Report } from '../../../lab-test/report.ts';
import { summaryOf } from '../../../lab-test/watch.ts';

const PLACE = { id: 'web-runs', file: 'first-steps.mdx', line: 12 };
const right = async () => undefined;
const wrong = () => Promise.reject(new Error('no'));

test('a step of which everything is right is told with what was tried', async () => {
  const report = new Report();
  await report.attempt('wrong ways', PLACE, 'no port published', right);
  await report.attempt('as written', PLACE, undefined, right);
  expect(summaryOf(PLACE, report)).toBe('✓ web-runs: as written, and 1 wrong ways');
});

test('a step of which something fails is told with the ways that did', async () => {
  const report = new Report();
  await report.attempt('wrong ways', PLACE, 'no port published', wrong);
  await report.attempt('wrong ways', PLACE, 'a fixed port', right);
  await report.attempt('as written', PLACE, undefined, wrong);
  expect(summaryOf(PLACE, report)).toBe(
    '✗ web-runs: “no port published” and as written failed, of 3 ways',
  );
});
