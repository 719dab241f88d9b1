import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BASE_PATH } from '../../client-driver/base-path.ts';
import { OWN_NAMES } from '../../server/cli/settings.ts';
import { siteDirectory } from '../../server/site/build.ts';

const PROJECT = join(import.meta.dirname, '../..');
const DIST = await siteDirectory(PROJECT, BASE_PATH);
/** A path of this server in what a page's tags or its data say. Authors' pages also show paths of hosts, as text. */
const LEADS =
  /(?:\s(?:href|src|srcset|action|poster|content)="|&#34;href&#34;:&#34;|"href":")(\/[^"&]*)/g;
/** The same in style sheets. */
const NAMED = /url\(["']?(\/[^)"']*)/g;

function ignoring(files: string, pattern: RegExp): readonly string[] {
  const paths = globSync(join(DIST, files));
  const found = paths.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, to = '']) => to),
  );
  expect(found.length).toBeGreaterThan(0);
  return found.filter((to) => !to.startsWith(`${BASE_PATH}/`) && to !== BASE_PATH);
}

test('below a path, no page leads to a path that ignores it', () => {
  expect(ignoring('**/*.html', LEADS)).toEqual([]);
});

test('below a path, no style sheet does', () => {
  expect(ignoring('_astro/*.css', NAMED)).toEqual([]);
});

test('a base path that begins with a name of the site’s own is refused: each such name is known', () => {
  // What begins with a dot has no address.
  const folders = readdirSync(DIST, { withFileTypes: true }).filter(
    (each) => each.isDirectory() && !each.name.startsWith('.'),
  );
  expect(folders.map(({ name }) => name).filter((name) => !OWN_NAMES.includes(name))).toEqual([]);
});
