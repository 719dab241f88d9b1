import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { siteDirectory } from '../../server/site/build.ts';

const DIST = await siteDirectory(join(import.meta.dirname, '../..'));
/** A page to read, over the wire. */
const READING_BYTES = 60_000;
/**
 * A lab's page with its terminals, over the wire. What notices that a link has fallen silent takes 400 bytes of it, what
 * holds a hidden terminal's output until the page is idle 1,200, what fetches the older output after the newest 1,500,
 * the style sheet of readable colours 500, the one for paper 600, what is said
 * of closing terminals, refused input and the clipboard 1,200, the warnings over the text 600, what draws a flood less often
 * 600, what takes the text of phones' keyboards and input methods, with the keys for a screen that is touched, 2,600, and
 * what carries links over HTTP 2,100: it cannot wait to be fetched until a network is in the way. What holds a button of Run while
 * its block runs, and tells of a tick where the text is out of sight, takes 700; what marks the last output, and gives the
 * keyboard back, 800; what finds a graphics card and keeps a terminal's cells the same with it, 900; what measures whether a
 * line is slow, and fetches what shows keys before the host has them, 600; what unpacks older output 150; what restarts
 * a host 300, with what holds a slow line’s keys together 150; what puts values into blocks and their copies, and names the
 * labs to go on with, 200; what tells of a line that a program would cut off 300; what
 * opens the files of a host, of which the editor itself comes when it is wanted, 500; what sends answers to questions with
 * choices, runs commands that stay, and leaves optional steps uncounted, 500;
 * what says that a lab has changed since, and opens pages after a step, 800.
 */
const LAB_BYTES = 179_400;
/**
 * The instructor's page: little of its own, and a terminal to watch a learner's, with what measures its line (400), what
 * restarts a learner's host (200), what unpacks older output (200) and what tells of a line that a program would cut off
 * (300). The style of a block that is a file comes with that of every page (100), and optional
 * steps are counted apart (100). The list of pages that have notes for the instructor takes 300, and what fetches the table of
 * a Swarm’s machines, where there is one, 150.
 */
const ROOM_BYTES = 153_450;
/** As the server packs it. */
const GZIP = { level: 9 };
/**
 * Code that a page names and a learner may never need: it comes when they search, when they open a terminal's menu or the files of a host, where
 * the screen is touched, where the line is slow, when a program prints emoji or CJK, where there is a graphics card, where a page asks a question, where the server runs a
 * class, or where that is on a Swarm. Everything else that is imported lazily counts, the terminal above all.
 */
const ON_DEMAND = [
  /^addon-search\./,
  /^search-bar\./,
  /^files-pane\./,
  /^settings-menu\./,
  /^touch-keys\./,
  /^output-view\./,
  /^prediction-view\./,
  /^addon-unicode-graphemes\./,
  /^addon-webgl\./,
  /^answers\./,
  /^node-table\./,
  /^(my-status|live|copy)\./,
];
/** Served as it is: it is compressed already. */
const PACKED = /\.woff2$/;
/** How pages, style sheets and scripts name another file of the build. */
const NAMES = /(?:\/_astro\/|\.\/|_astro\/)([\w.-]+\.(?:js|css|woff2|svg))/g;

const pages = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('index.html'))
  .map((path) => `/${path.replace(/index\.html$/, '')}`);

function wireBytes(path: string): number {
  const bytes = readFileSync(path);
  return PACKED.test(path) ? bytes.byteLength : gzipSync(bytes, GZIP).byteLength;
}

/** Every file that a page comes to load, each once: what it names, what that names, and so on. */
function loadedBy(page: string): readonly string[] {
  const found = new Set<string>();
  const follow = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    if (PACKED.test(path)) return;
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(NAMES)) {
      const next = join(DIST, '_astro', name);
      if (existsSync(next) && !ON_DEMAND.some((pattern) => pattern.test(name))) follow(next);
    }
  };
  follow(join(DIST, page, 'index.html'));
  return [...found];
}

describe.each(pages)('the page %s', (page) => {
  const files = loadedBy(page);
  const total = files.reduce((sum, file) => sum + wireBytes(file), 0);
  const table = files
    .map((file) => `${wireBytes(file)} ${basename(file)}`)
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
    .join('\n');
  const isLab = /^\/labs\/[^/]+\//.test(page);
  const isRoom = page === '/class/';
  const budget = isLab ? LAB_BYTES : isRoom ? ROOM_BYTES : READING_BYTES;

  it('stays within its budget over the wire', () => {
    expect(total, table).toBeLessThanOrEqual(budget);
  });

  it('loads the terminal only where there is one', () => {
    expect(files.some((file) => basename(file).startsWith('xterm.'))).toBe(isLab || isRoom);
  });

  it('names nothing of another site to load', () => {
    const html = readFileSync(join(DIST, page, 'index.html'), 'utf8');
    const foreign = [
      ...html.matchAll(/<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="(https?:)?\/\//g),
    ];
    expect(foreign.map(([tag]) => tag)).toEqual([]);
  });
});
