import { describe, expect, test } from 'vitest';
import { framePath } from '../../../server/browser/frame-path.ts';
import { rewriteCss, rewriteHtml, titleOf } from '../../../server/browser/rewrite.ts';

const rewriting = {
  base: new URL('http://10.1.10.11:32768/shop/index.html'),
  pathOf: (url: URL) => framePath('K', url),
};
const HERE = '/pane/K/http/10.1.10.11:32768';
const BASE = `<base href="${HERE}/shop/index.html">`;

/** The page's own part, after the base that is always put in front. */
function rewrite(html: string): string {
  const text = rewriteHtml(html, rewriting, '/pane/K/page/1');
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
    [
      '<style>p{background:url(/b.png)}</style>',
      `<style>p{background:url("${HERE}/b.png")}</style>`,
    ],
  ])('%s leads through this server', (html, expected) => {
    expect(rewrite(html)).toBe(expected);
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
    '<a href="/unfinished',
    '<!-- unfinished <a href="/a">',
    '<script>unfinished <a href="/a">',
  ])('%s stays as it is', (html) => {
    expect(rewrite(html)).toBe(html);
  });

  test('keeps its doctype in front, and gets its base within the head', () => {
    expect(rewriteHtml('<!doctype html><p>', rewriting, '/p')).toBe(`<!doctype html>${BASE}<p>`);
    expect(rewriteHtml('<html><head lang=en><p>', rewriting, '/p')).toBe(
      `<html><head lang=en>${BASE}<p>`,
    );
  });

  test('keeps to the base that it names itself', () => {
    const html = '<head><base href="/other/"><a href="x">';
    expect(rewriteHtml(html, rewriting, '/p')).toBe(
      `<head><base href="${HERE}/other/"><a href="${HERE}/other/x">`,
    );
  });

  test.each([
    '<',
    '<a ',
    '<a "',
    "<a b='",
    '<script',
    '<script>',
    '<!--',
    '<style>url(',
    '<title ',
    '<p style="url(',
  ])('made of nothing but %j is read in one go', (piece) => {
    // A reader that starts anew at each piece would look at 10^11 characters here, and run into the test's time limit.
    const html = piece.repeat(1_000_000 / piece.length);
    expect(rewrite(html).length).toBeGreaterThan(0);
    titleOf(html);
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
