import { expect, test } from 'vitest';
import { banner } from '../../../server/cli/banner.ts';

const classroom = { name: 'Docker 101', code: 'K7PM-3QXR', freshSecret: undefined };

test('a class that only this machine finds is told so, in a line that a log keeps as well', () => {
  const lines = banner(classroom, 'http://127.0.0.1:8000', true);
  expect(lines).toContainEqual(expect.stringContaining('only browsers on this machine find that'));
  expect(lines.filter((line) => line.startsWith(' '))).toEqual([]);
});

test('a class that others find has no such line', () => {
  const lines = banner(classroom, 'https://labs.example.org', false).join('\n');
  expect(lines).toContain('https://labs.example.org/join/ with the code K7PM-3QXR');
  expect(lines).not.toContain('only browsers on this machine');
});
