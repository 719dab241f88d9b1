import { describe, expect, it } from 'vitest';
import {
  pageText,
  questionIn,
  readOff,
  readWithLine,
  terminalText,
} from '../../../server/labs/screen-text.ts';

describe('a screen', () => {
  it('of a terminal reads as its lines, without colours, marks and what was overwritten', () => {
    const output =
      '\u001b]633;C\u0007\u001b[1;32m80/tcp\u001b[0m -> 0.0.0.0:32768\r\n 10 %\r 90 %\r100 %\r\n';
    expect(terminalText(output)).toBe('80/tcp -> 0.0.0.0:32768\n100 %\n');
  });

  it('of a page reads as its blocks, without scripts and styles', async () => {
    const html =
      '<head><title>No</title></head><style>p{}</style><h1>Hello</h1><dl><div><dt>Server IP: </dt><dd>172.17.0.2</dd></div></dl><script>1</script>';
    expect(await pageText(html)).toBe('Hello\nServer IP: 172.17.0.2');
  });

  it('is read at the lowest place where the answer stands', () => {
    expect(readOff(/inet ([\d.]+)/, 'inet 10.0.0.1\ninet 10.0.0.2')).toBe('10.0.0.2');
    expect(readOff(/inet ([\d.]+)/, 'inet6 ::1')).toBeUndefined();
  });

  it.each([
    ['whose head has no end', '<head><title>No</title><p>Hello', 'Hello'],
    ['with characters written as names', '<p>a &lt; b &amp; c', 'a < b & c'],
    ['with a template', '<p>one<template><p>no<template>no</template>no</template>two', 'one\ntwo'],
    ['with a line that is broken', '<p>one   two<br>three', 'one two\nthree'],
  ])('of a page %s reads as the browser shows it', async (_, html, text) => {
    expect(await pageText(html)).toBe(text);
  });

  it('of a page as deep as it is long is read without making a tree of it', async () => {
    expect(await pageText(`${'<div>'.repeat(10_000)}deep`)).toBe('deep');
  });

  it('of a page without end is read as far as a page of a lab goes', async () => {
    expect((await pageText('word '.repeat(1_000_000))).length).toBeLessThanOrEqual(64 * 1024);
  });

  it('is read with the line that the answer stands in', () => {
    const screen = '1 /a\n23 /srv/files/notes.txt\n$';
    const line = '23 /srv/files/notes.txt';
    expect(readWithLine(/^(\d+) \//m, screen)).toEqual({ answer: '23', line });
    expect(readWithLine(/^(\d+).*\n/m, screen)).toEqual({ answer: '23', line });
    expect(readWithLine(/(\d+) x/, screen)).toBeUndefined();
  });

  it('is looked at only in its lowest part', () => {
    const reads = /"Name": "web"[^}]*"IPv4": "([\d.]+)/;
    const answer = '"Name": "web", "IPv4": "10.0.0.1"';
    expect(readOff(reads, 'x'.repeat(1_000_000) + answer)).toBe('10.0.0.1');
    expect(readOff(reads, answer + 'x'.repeat(1_000_000))).toBeUndefined();
  });
});

describe('a command that asks', () => {
  it.each([
    ['Are you sure you want to continue? [y/N] ', 'Are you sure you want to continue? [y/N]'],
    ['1 upgraded.\r\nDo you want to continue? [Y/n] ', 'Do you want to continue? [Y/n]'],
    ["rm: remove regular empty file '\u001b[1mx\u001b[0m'? ", "rm: remove regular empty file 'x'?"],
    ['Continue (yes/no)? ', 'Continue (yes/no)?'],
    ['Password: ', 'Password:'],
    ['mysql> ', 'mysql>'],
  ])('is known by the line that it stops in: %s', (output, question) => {
    expect(questionIn(output)).toBe(question);
  });

  it.each(['', 'Why?\r\n', ' 45 %', 'Waiting: ', 'a [y] b', 'Pulling fs layer\r\n'])(
    'is told from one that works: “%s”',
    (output) => {
      expect(questionIn(output)).toBeUndefined();
    },
  );

  it('is known by the end of a line that has none', () => {
    expect(questionIn(`${'y'.repeat(1_000_000)}?`)).toMatch(/^y+\?$/);
  });
});
