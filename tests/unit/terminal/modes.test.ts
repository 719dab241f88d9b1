import { expect, test } from 'vitest';
import { Modes } from '../../../server/terminal/modes.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

test('knows the modes in force, wherever the stream is cut', () => {
  const stream = Buffer.from(
    'x\x1b[?2004h\x1b[?1049;25h\x1b[?25l\x1b[1;31mred\x1b[0m\x1b[2 q\x1b=\x1b[?1000h\x1b[?1000l\x1b[?2004l',
  );
  const expected = '\x1b[?1049h\x1b[?25l\x1b[?1000l\x1b[?2004l\x1b[2 q\x1b=';
  const integer = integers(seeded(5));
  for (let round = 0; round < 300; round++) {
    const modes = new Modes();
    for (const piece of cut(stream, 1 + integer(10), integer)) modes.feed(piece);
    expect(Buffer.from(modes.preamble()).toString()).toBe(expected);
  }
});

test('forgets everything at a reset', () => {
  const modes = new Modes();
  modes.feed(Buffer.from('\x1b[?1049h\x1b[4 q\x1b>\x1bcafter'));
  expect(modes.preamble().byteLength).toBe(0);
});

test('remembers no more than a terminal has', () => {
  const modes = new Modes();
  for (let mode = 0; mode < 10_000; mode++) modes.feed(Buffer.from(`\x1b[?${mode}h`));
  expect(modes.preamble().byteLength).toBeLessThan(1_000);
});
