import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const PAGE = readFileSync(new URL('docs/data-flow.md', ROOT), 'utf8');

/** The files of a section's table, each once. */
function filesOf(section: string): readonly string[] {
  const [, text = ''] = PAGE.split(`## ${section}\n`);
  const [table = ''] = text.split('\n## ');
  return [...new Set([...table.matchAll(/^\| \d+ +\| `([^`]+)`/gm)].map(([, file = '']) => file))];
}

test.each([
  ['A keystroke', 13],
  ['Its echo', 20],
])('%s passes through %i files at most, and each is there', (section, most) => {
  const files = filesOf(section);
  expect(files.length).toBeGreaterThan(10);
  expect(files.length).toBeLessThanOrEqual(most);
  expect(files.filter((file) => !existsSync(new URL(file, ROOT)))).toEqual([]);
});
