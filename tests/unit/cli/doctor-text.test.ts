import { expect, test } from 'vitest';
import { linesOf, reportOf } from '../../../server/cli/doctor-text.ts';
import { lookOf } from '../../fixtures/engines.ts';

test('each finding is a line, with what to type below it', () => {
  expect(
    linesOf([
      { severity: 'refuse', what: 'no', remedy: 'do this' },
      { severity: 'fine', what: 'yes', remedy: '' },
    ]),
  ).toEqual(['REFUSED  no', '         → do this', 'fine     yes']);
});

test('a report says versions and kinds, and neither names nor paths', () => {
  const look = lookOf('rootless-20.10', { address: 'tcp://school.example:2375' });
  const where = { quayside: '1.0', node: 'v24', system: 'Debian', look };
  const report = reportOf(where).join('\n');
  for (const word of ['20.10.24', 'API 1.41', 'tcp', 'rootless', 'v1, none', 'overlay2']) {
    expect(report).toContain(word);
  }
  for (const word of ['school', '2375', '/home/user', 'machine/'])
    expect(report).not.toContain(word);
});

test('a report says that no engine answers', () => {
  const where = { quayside: '1.0', node: 'v24', system: 'Debian', look: undefined };
  expect(reportOf(where)).toEqual(['Quayside 1.0, Node v24, Debian', 'no engine answers']);
});
