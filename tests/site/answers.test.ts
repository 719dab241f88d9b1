import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { siteDirectory } from '../../server/site/build.ts';
import { lab } from '../../src/content/docs/labs/components/lab.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = await siteDirectory(ROOT);

const asked = lab.checks.flatMap(({ id, choices }) => (choices ? [{ id, choices }] : []));

/** The form of a question, as its page has it. */
function formOf(id: string): string {
  const page = readFileSync(join(DIST, 'labs/components/components/index.html'), 'utf8');
  const from = page.indexOf(`data-answer="${id}"`);
  return page.slice(from, page.indexOf('</form>', from));
}

it.each(asked)('the options of $id stand on its page as they are written', ({ id, choices }) => {
  const keys = [...formOf(id).matchAll(/name="text" value="([^"]+)"/g)].map(([, key]) => key);
  expect(keys).toEqual(Object.keys(choices.options));
});

it('no page and no script of a lab says which choices are right, or what is wrong with the others', () => {
  // The guide for authors quotes the example.
  const files = globSync(join(DIST, '{labs/**/*.html,_astro/*.js}'));
  const secrets = asked.flatMap(({ choices }) => [
    ...Object.values(choices.because).flatMap((reason) => reason ?? []),
    ...(choices.right.length > 1 ? [choices.right.join(' '), JSON.stringify(choices.right)] : []),
  ]);
  const told = files.filter((file) => {
    const text = readFileSync(file, 'utf8');
    return secrets.some((secret) => text.includes(secret));
  });
  expect(told.map((file) => basename(file))).toEqual([]);
  expect(secrets.length).toBeGreaterThan(0);
});
