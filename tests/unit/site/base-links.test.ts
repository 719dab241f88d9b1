import { expect, test } from 'vitest';
import { linksBelow } from '../../../src/site/base-links.ts';

const below = (html: string) => linksBelow('/quayside', html);

test.each([
  ['<a href="/labs/storage/">', '<a href="/quayside/labs/storage/">'],
  ['<a class="a > b" href="/">', '<a class="a > b" href="/quayside/">'],
  ['<img alt="" src="/map.svg">', '<img alt="" src="/quayside/map.svg">'],
  ['<form action="/api/x">', '<form action="/quayside/api/x">'],
  [
    '<video poster="/a.png" src="/a.webm">',
    '<video poster="/quayside/a.png" src="/quayside/a.webm">',
  ],
])('a link to this server gets the base path: %s', (written, becomes) => {
  expect(below(written)).toBe(becomes);
});

test.each([
  ['what has it already', '<a href="/quayside/labs/">'],
  ['the front page below it', '<a href="/quayside">'],
  ['other sites', '<a href="https://example.org/labs/"><img src="//example.org/x.png">'],
  ['places on the page', '<a href="#ports"><a href="../storage/">'],
  ['text', '<p>Write href="/labs/", or &lt;a href="/labs/"></p>'],
  ['a block that is typed', '<button data-run-code="curl -d &quot;href=/x&quot; /y">'],
])('%s stays', (_, html) => {
  expect(below(html)).toBe(html);
});
