import { describe, expect, test } from 'vitest';
import { framePath } from '../../../server/browser/address.ts';
import { rewriteCss, rewriteHtml, titleOf } from '../../../server/browser/rewrite.ts';
import { TagReader } from '../../../server/browser/tags.ts';

const rewriting = {
  base: new URL('http://10.1.10.11:32768/shop/index.html'),
  pathOf: (url: URL) => framePath('/pane/K/', url),
};
const HERE = '/pane/K/http/10.1.10.11:32768';
const BASE = `<base href="${HERE}/shop/index.html">`;

/** The page's own part, after the base that is always put in front. */
async function rewrite(html: string): Promise<string> {
  const text = await rewriteHtml(html, rewriting, '/pane/K/page/1');
  expect(text.startsWith(BASE)).toBe(true);
  return text.slice(BASE.length);
}

describe('a page in the frame', () => {
  test.each([
    ['<a href="/a?b=1&amp;c=2">', `<a href="${HERE}/a?b=1&amp;c=2">`],
    ["<a href='b.html#x'>", `<a href="${HERE}/shop/b.html#x">`],
    ['<A HREF=b.html>', `<A href="${HERE}/shop/b.html">`],
    ['<a href="http://server02/">', '<a href="/pane/K/http/server02/">'],
    ['<a href="//10.1.10.12:81/x">', '<a href="/pane/K/http/10.1.10.12:81/x">'],
    ['<a href="https://example.org/x">', '<a href="/pane/K/https/example.org/x">'],
    ['<a href="#top">', '<a href="/pane/K/page/1#top">'],
    ['<a class="x" href="/" target="_blank">', `<a class="x" href="${HERE}/" >`],
    ['<img src=/i.png>', `<img src="${HERE}/i.png">`],
    [
      '<img srcset="a.png 1x, /b.png 2x">',
      `<img srcset="${HERE}/shop/a.png 1x, ${HERE}/b.png 2x">`,
    ],
    ['<form method=post>', `<form action="${HERE}/shop/index.html" method=post>`],
    ['<form action="/buy">', `<form action="${HERE}/buy">`],
    [
      '<meta http-equiv="refresh" content="5; url=/next">',
      `<meta http-equiv="refresh" content="5;url=${HERE}/next">`,
    ],
    ['<p style="background:url(/b.png)">', `<p style="background:url(&quot;${HERE}/b.png&quot;)">`],
    ['<svg><title><a href="/b"></title></svg>', `<svg><title><a href="${HERE}/b"></title></svg>`],
    [
      '<svg><script><a href="/b"/></script></svg>',
      `<svg><script><a href="${HERE}/b"/></script></svg>`,
    ],
    ['<!-- x --!><a href="/b">', `<!-- x --!><a href="${HERE}/b">`],
    [
      '<svg><style>p{fill:url(/b.svg)}</style></svg>',
      `<svg><style>p{fill:url("${HERE}/b.svg")}</style></svg>`,
    ],
    [
      '<style>p{background:url(/b.png)}</style>',
      `<style>p{background:url("${HERE}/b.png")}</style>`,
    ],
  ])('%s leads through this server', async (html, expected) => {
    expect(await rewrite(html)).toBe(expected);
  });

  test.each([
    '<a href="mailto:someone@example.org">',
    '<a href="javascript:void 0">',
    '<img src="data:image/png;base64,AAAA">',
    '<use href="#icon">',
    '<!-- <a href="/a"> -->',
    '<script>const a = \'<a href="/a">\';</script>',
    '<textarea><a href="/a"></textarea>',
    '<p>1 < 2 &copy; <b>x</b></p>',
    '<iframe><a href="/a"></iframe>',
    '<noscript><a href="/a"></noscript>',
    '<xmp><a href="/a"></xmp>',
    '<plaintext><a href="/a">',
    '<script><!-- <script></script><a href="/a"> --></script>',
    '<svg><![CDATA[<a href="/a">]]></svg>',
    '<? <a href="/a">',
    '<a href="/unfinished',
    '<!-- unfinished <a href="/a">',
    '<script>unfinished <a href="/a">',
  ])('%s stays as it is', async (html) => {
    expect(await rewrite(html)).toBe(html);
  });

  test('keeps its doctype in front, and gets its base within the head', async () => {
    expect(await rewriteHtml('<!doctype html><p>', rewriting, '/p')).toBe(
      `<!doctype html>${BASE}<p>`,
    );
    expect(await rewriteHtml('<html><head lang=en><p>', rewriting, '/p')).toBe(
      `<html><head lang=en>${BASE}<p>`,
    );
  });

  test('keeps to the base that it names itself', async () => {
    const html = '<head><base href="/other/"><a href="x">';
    expect(await rewriteHtml(html, rewriting, '/p')).toBe(
      `<head><base href="${HERE}/other/"><a href="${HERE}/other/x">`,
    );
  });
});

/** Of the largest page that is taken. */
const CHARACTERS = 5 * 1024 * 1024;

describe('a page of 5 MiB that was written to hold up the server', () => {
  const PIECES = [
    '<',
    '<a ',
    '<a "',
    "<a b='",
    '<a>',
    '<a href=/>',
    '<a b c d e f g h>',
    '<script',
    '<script>',
    '<script><!--',
    '<!--',
    '<!---->',
    '<style>url(',
    '<style>url(a)</style>',
    '<title ',
    '<title></title>',
    '<p style="url(',
    '<img srcset="a, b, c, d">',
    '<base>',
    '<svg>',
    '<svg><desc>',
    '</svg>',
    '<![CDATA[',
    '&',
  ];

  test.each(PIECES)('of nothing but %j is read in so many steps and no more', (piece) => {
    const reader = new TagReader(piece.repeat(CHARACTERS / piece.length));
    while (reader.next() !== undefined && reader.steps < CHARACTERS);
    // A reader that begins again at each piece would take the square of it.
    expect(reader.steps).toBeLessThanOrEqual(CHARACTERS);
  });

  test.each(PIECES)(
    'of nothing but %j is rewritten up to a limit, with others in between',
    async (piece) => {
      const html = piece.repeat(CHARACTERS / piece.length);
      let addresses = 0;
      let turns = 0;
      let done = false;
      const others = (): void => {
        turns += 1;
        if (!done) setImmediate(others);
      };
      setImmediate(others);
      const pathOf = (url: URL) => {
        addresses += 1;
        return framePath('/pane/K/', url);
      };
      const text = await rewriteHtml(html, { base: rewriting.base, pathOf }, '/p');
      done = true;
      // The page's own base is one more.
      expect(addresses).toBeLessThanOrEqual(1_001);
      // Links that are left over stay as they were.
      expect(text.length).toBeLessThan(html.length + 200 * 1_024);
      if (addresses < 1_000 && /^<(a|svg)>$/.test(piece)) expect(turns).toBeGreaterThan(20);
      titleOf(html);
    },
  );

  test('of one tag with attributes without end is not read on', () => {
    const names = Array.from({ length: CHARACTERS / 8 }, (_, index) => `a${index.toString(36)}`);
    const reader = new TagReader(`<a ${names.join(' ')}><b>`);
    while (reader.next() !== undefined);
    expect(reader.steps).toBeLessThan(2_000);
  });

  test('that is a style sheet is rewritten up to a limit', () => {
    let addresses = 0;
    const pathOf = (url: URL) => {
      addresses += 1;
      return framePath('/pane/K/', url);
    };
    rewriteCss('url(a)'.repeat(CHARACTERS / 6), { base: rewriting.base, pathOf });
    expect(addresses).toBe(1_000);
  });
});

describe('a style sheet', () => {
  test('finds its imports, pictures and fonts through this server', () => {
    expect(
      rewriteCss(`@import 'a.css';@import url(b.css);a{b:url( "/c.png" ) url(data:x)}`, rewriting),
    ).toBe(
      `@import "${HERE}/shop/a.css";@import url("${HERE}/shop/b.css");a{b:url( "${HERE}/c.png" ) url(data:x)}`,
    );
  });
});

describe("a page's title", () => {
  test.each([
    ['<title>myapp2</title>', 'myapp2'],
    ['<TITLE lang="en">\n  a &amp; b &#33;\n</TITLE>', 'a & b !'],
    ['<title></title>', undefined],
    ['<h1>x</h1>', undefined],
  ])('of %j is %j', (html, title) => {
    expect(titleOf(html)).toBe(title);
  });
});
