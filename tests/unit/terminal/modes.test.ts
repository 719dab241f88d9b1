import { expect, test } from 'vitest';
import { EscapeParser } from '../../../server/terminal/escape-parser.ts';
import { Modes } from '../../../server/terminal/modes.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

function modesAfter(...pieces: readonly (string | Buffer)[]): Modes {
  const modes = new Modes();
  const parser = new EscapeParser(modes);
  for (const piece of pieces) parser.feed(Buffer.from(piece));
  return modes;
}

test('knows the modes and colours in force, wherever the stream is cut', () => {
  const stream = Buffer.from(
    'x\x1b[?2004h\x1b[?1049;25h\x1b[?25l\x1b[1;31mred\x1b[0m\x1b[2 q\x1b=\x1b[0;4m\x1b[32m\x1b[?1000h\x1b[?1000l\x1b[?2004l',
  );
  const expected = '\x1b[?1049h\x1b[?25l\x1b[?1000l\x1b[?2004l\x1b[2 q\x1b=\x1b[0;4m\x1b[32m';
  const integer = integers(seeded(5));
  for (let round = 0; round < 300; round++) {
    const modes = modesAfter(...cut(stream, 1 + integer(10), integer));
    expect(modes.preamble().toString()).toBe(expected);
  }
});

test('forgets everything at a reset', () => {
  const modes = modesAfter('\x1b[?1049h\x1b[4 q\x1b>\x1b[31m\x1bcafter');
  expect(modes.preamble().byteLength).toBe(0);
});

test('keeps the screen that is shown, and the mouse, at a soft reset', () => {
  const modes = modesAfter('\x1b[?1049h\x1b[?1006h\x1b[?25l\x1b[31m\x1b[!p');
  expect(modes.preamble().toString()).toBe('\x1b[?1049h\x1b[?1006h');
});

test('remembers no more than a terminal has', () => {
  const invented = Array.from({ length: 10_000 }, (_, mode) => `\x1b[?${mode}h\x1b[38;5;${mode}m`);
  expect(modesAfter(...invented).preamble().byteLength).toBeLessThan(2_000);
});

test('of colours that are never reset, the newest count', () => {
  const colours = Array.from({ length: 1_000 }, (_, at) => `\x1b[38;5;${at % 256}m`);
  const kept = modesAfter(...colours)
    .preamble()
    .toString();
  expect(kept).not.toBe('');
  expect(colours.join('').endsWith(kept)).toBe(true);
});

test.each([
  [
    'text, colours, and what changes a line',
    'a\r\nb\t\x1b[1;31mc\x1b[0m\b\x1b[K\x1b[3G\x1b[2P',
    false,
  ],
  ['a prompt', '\x1b]633;A\x07\x1b[?2004h$ ls\r\n\x1b[?2004l\r\x1b]633;C\x07', false],
  ['a cleared screen', '\x1b[H\x1b[2J', true],
  ['a line above', '\x1b[2A', true],
  ['a reverse line feed', '\x1bM', true],
  ['the alternate screen', '\x1b[?1049h', true],
  ['a scroll region', '\x1b[2;10r', true],
] as const)('tells what leaves all other lines as they are: %s', (_, text, moved) => {
  const modes = modesAfter(text);
  expect(modes.takeMoved()).toBe(moved);
  expect(modes.takeMoved()).toBe(false);
});

test.each([
  ['at first', '', true],
  ['in the alternate screen', '\x1b[?1049h', false],
  ['after it', '\x1b[?1049h\x1b[?1049l', true],
  ['in a region', '\x1b[1;23r', false],
  ['in one of the whole screen', '\x1b[1;23r\x1b[1;24r', true],
  ['in one that was taken back', '\x1b[1;23r\x1b[r', true],
] as const)('knows whether the whole screen scrolls: %s', (_, text, scrolls) => {
  expect(modesAfter(text).scrolls).toBe(scrolls);
});
