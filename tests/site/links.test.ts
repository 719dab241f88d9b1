import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { siteDirectory } from '../../server/site/build.ts';

const DIST = await siteDirectory(join(import.meta.dirname, '../..'));
const ORIGIN = 'http://site';
/** What the server answers itself, and no page of the build. */
const SERVED = /^\/api\//;

const pages = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('index.html'))
  .map((path) => `/${path.replace(/index\.html$/, '')}`);

function html(page: string): string {
  return readFileSync(join(DIST, page, 'index.html'), 'utf8');
}

describe.each(pages)('the page %s', (page) => {
  const links = [...html(page).matchAll(/<a\b[^>]*?\shref="([^"]+)"/g)]
    .map(([, href = '']) => new URL(href, `${ORIGIN}${page}`))
    .filter(({ origin, pathname }) => origin === ORIGIN && !SERVED.test(pathname));

  it('links only to pages and headings that are there', () => {
    const broken = links.filter(({ pathname, hash }) => {
      if (!existsSync(join(DIST, pathname, 'index.html'))) return true;
      const id = decodeURIComponent(hash.slice(1));
      return id !== '' && !html(pathname).includes(`id="${id}"`);
    });
    expect(broken.map(({ href }) => href.slice(ORIGIN.length))).toEqual([]);
  });

  it('gives no id twice', () => {
    const ids = [...html(page).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});
