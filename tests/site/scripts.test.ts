import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { siteDirectory } from '../../server/site/build.ts';

const DIST = await siteDirectory(join(import.meta.dirname, '../..'));
/** An observer that is called for each element that a terminal draws. */
const WATCHES_ALL = /observe\(document(?:\.body|\.documentElement)?,\{[^}]*subtree:/;

it('no script watches all that is added to the page', () => {
  const scripts = globSync(join(DIST, '_astro/*.js'));
  const found = scripts.filter((path) => WATCHES_ALL.test(readFileSync(path, 'utf8')));
  expect(found.map((path) => basename(path))).toEqual([]);
  expect(scripts).not.toEqual([]);
});
