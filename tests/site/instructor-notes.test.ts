import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { NOTES_FOLDER } from '../../protocol/notes-folder.ts';
import { siteDirectory } from '../../server/site/build.ts';
import { EXAMPLES_LAB } from '../../src/site/sidebar.ts';

const PROJECT = join(import.meta.dirname, '../..');
const DIST = await siteDirectory(PROJECT);
const NOTE = /<Instructor>\n(.*?)\n<\/Instructor>/gs;
/** Enough to be found again, without marks of a page's own. */
const BEGINNING = /[^`*_[]{20,40}/;

const beginnings = globSync('src/content/docs/labs/*/*.mdx', { cwd: PROJECT }).flatMap((page) => {
  const source = readFileSync(join(PROJECT, page), 'utf8').replaceAll(/^```.*?^```/gms, '');
  return [...source.matchAll(NOTE)].map(([, note = '']) => ({
    begins: BEGINNING.exec(note)?.[0].trim() ?? note,
    isExample: page.includes(EXAMPLES_LAB),
  }));
});

/** What of the build begins with a dot is served as a file to nobody. */
const served = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter(
  (path) => !/(^|\/)\./.test(path) && statSync(join(DIST, path)).isFile(),
);

/** A file as it is read: the search packs its own. */
function text(path: string): string {
  const bytes = readFileSync(join(DIST, path));
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
}

/** The page with the examples shows how a note is written, in a block of code: the search has it from there. */
const withoutCode = (html: string) => html.replaceAll(/<figure.*?<\/figure>/gs, '');

it('no file that is served has a word of the notes for the instructor', () => {
  expect(beginnings.length).toBeGreaterThan(2);
  const found = served.flatMap((path) => {
    const content = withoutCode(text(path));
    return beginnings
      .filter(({ begins }) => content.includes(begins))
      .filter(({ isExample }) => !(isExample && path.startsWith('pagefind/')))
      .map(({ begins }) => `${path}: ${begins}`);
  });
  expect(found).toEqual([]);
});

it('the instructor’s pages have all of them', () => {
  const pages = globSync(`${NOTES_FOLDER}/**/*.html`, { cwd: DIST }).map(text).join('\n');
  expect(beginnings.filter(({ begins }) => !pages.includes(begins))).toEqual([]);
});
