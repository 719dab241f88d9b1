import { expect, test } from 'vitest';
import { textOf } from '../../../server/browser/page-text.ts';

const page = (body: string, type = 'text/html; charset=utf-8') =>
  ({
    outcome: 'page',
    status: 200,
    headers: { 'content-type': type },
    body: Buffer.from(body),
  }) as const;

test.each([
  ['<h1>Version&nbsp;2</h1>\n<p>It  works &amp; is <b>new</b>.', 'Version 2 It works & is new .'],
  ['<title>not this</title><style>a { b }</style><p>this', 'this'],
  ['<script>if (a < b) write("<p>no</p>")</script><p>yes', 'yes'],
  ['<!-- <p>no</p> --><p class="a">yes</p>', 'yes'],
  ['<p>1 < 2', '1 < 2'],
  ['<p>before<script>never closed', 'before'],
  ['', ''],
])('of %j a reader sees %j', (html, text) => {
  expect(textOf(page(html))).toBe(text);
});

test('what is no page has its text as it is, and a picture has none', () => {
  expect(textOf(page('{"repositories": []}', 'application/json'))).toBe('{"repositories": []}');
  expect(textOf(page('…', 'image/png'))).toBeUndefined();
});

test('a page without end is read no further than a check needs', () => {
  expect(textOf(page('word '.repeat(1_000_000)))?.length).toBe(2_048);
  for (const part of ['<', '<p', '<!--', '<script>', '</']) {
    expect(textOf(page(`<p>a</p>${part.repeat(1_000_000)}`))).toMatch(/^a/);
  }
});
