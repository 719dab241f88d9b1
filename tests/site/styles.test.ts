import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { siteDirectory } from '../../server/site/build.ts';

const DIST = await siteDirectory(join(import.meta.dirname, '../..'));
/** A rule's selectors, up to and with the last `:has(` in them. */
const HAS = /[^{};]*:has\(/g;
/** Starlight's own rules for text. No terminal and no list that changes is within it, or above it. */
const IN_TEXT = /^\.sl-markdown-content /;

const sheets = [join(DIST, '_astro/*.css'), join(DIST, '**/*.html')].flatMap((each) =>
  globSync(each),
);

it('what is looked at anew after every insertion is in the text alone', () => {
  const found = sheets.flatMap((path) => readFileSync(path, 'utf8').match(HAS) ?? []);
  expect(found.filter((selector) => !IN_TEXT.test(selector))).toEqual([]);
  // It would find one: Starlight has some.
  expect(found).not.toEqual([]);
});
