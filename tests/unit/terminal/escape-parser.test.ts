import { describe, expect, test } from 'vitest';
import { ControlScanner } from '../../../server/terminal/control-scanner.ts';
import { EscapeParser } from '../../../server/terminal/escape-parser.ts';
import { Modes } from '../../../server/terminal/modes.ts';
import { ShellIntegration } from '../../../server/terminal/shell-integration.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';
import { countingBuffer, repeated } from './counting-buffer.ts';

/** The sequences in `pieces`, each as a word. */
function sequencesIn(pieces: Iterable<Buffer>): readonly string[] {
  const found: string[] = [];
  const parser = new EscapeParser({
    escape: (final) => found.push(`ESC ${String.fromCharCode(final)}`),
    csi: (bytes, from, to) => found.push(`CSI ${bytes.toString('latin1', from, to)}`),
    osc: (bytes, from, to) => found.push(`OSC ${bytes.toString('latin1', from, to)}`),
  });
  for (const piece of pieces) parser.feed(piece);
  return found;
}

test('finds each kind of sequence, wherever the stream is cut', () => {
  const stream = Buffer.from(
    'a\x1b[1;34mdir\x1b[0m\x1b]0;title\x07b\x1b]133;A\x1b\\\x1b=\x1bc\x1b(B\x1b(c\x1b[?25l\x1b[2 q' +
      '\x1bPq\x1b\\\x1b[!p\x1b]8;;http://x\x1b[31m',
    'latin1',
  );
  const expected = [
    ...['CSI 1;34m', 'CSI 0m', 'OSC 0;title', 'OSC 133;A', 'ESC \\', 'ESC =', 'ESC c'],
    ...['CSI ?25l', 'CSI 2 q', 'ESC P', 'ESC \\', 'CSI !p', 'OSC 8;;http://x', 'CSI 31m'],
  ];
  const integer = integers(seeded(11));
  for (let round = 0; round < 500; round++) {
    expect(sequencesIn(cut(stream, 1 + integer(12), integer))).toEqual(expected);
  }
});

test.each([
  ['a sequence within another ends it', '\x1b[12\x1b[3m', ['CSI 3m']],
  ['CAN breaks a sequence off', '\x1b[12\x18m\x1b]0;x\x18\x07\x1b\x18c', []],
  ['SUB breaks a sequence off', '\x1b[12\x1am\x1b]0;x\x1a\x07', []],
  ['what is not ASCII ends a sequence', '\x1b[12\xe9m', []],
  ['a sequence goes on after a line end in it', '\x1b[1\r\nm', ['CSI 1\r\nm']],
  ['many ESCs are one', '\x1b\x1b\x1b[m', ['CSI m']],
] as const)('%s', (_, text, expected) => {
  expect(sequencesIn([Buffer.from(text, 'latin1')])).toEqual(expected);
});

test('what is too long is dropped whole, and the next sequence is found', () => {
  const long = `\x1b[${'1;'.repeat(500)}m\x1b]0;${'x'.repeat(20_000)}\x07\x1b[7m`;
  const integer = integers(seeded(12));
  expect(sequencesIn([Buffer.from(long)])).toEqual(['CSI 7m']);
  expect(sequencesIn(cut(Buffer.from(long), 100, integer))).toEqual(['CSI 7m']);
});

test('a string is no text, whatever stands in it, and ends with ESC', () => {
  const parser = new EscapeParser({});
  parser.feed(Buffer.from('a\x1bPq\r\n'));
  expect(parser.isBetween).toBe(false);
  parser.feed(Buffer.from('\x1b\\'));
  expect(parser.isBetween).toBe(true);
});

const CHUNK = 16 * 1024;
const CHUNKS = 3;
/** By whoever reads: its own search, a comparison, a copy. */
const VISITS_A_BYTE = 4;
const ID = 't1';
const OPENERS = {
  'marks that never end': '\x1b]633;',
  'command lines that never end': '\x1b]633;E;x',
  'prompts that never end': '\x1b]633;A;aid=1',
  'marks with long text': `\x1b]633;E;${'x'.repeat(9_000)}`,
  'titles that never end': '\x1b]0;title',
  'lone ESCs': '\x1b',
  'modes that never end': '\x1b[?1;',
  'modes that end': '\x1b[?1;2;3h',
  'CSIs that grow': `\x1b[?${'1;'.repeat(5_000)}`,
  'notes that never end': `\x1b_quayside:${ID}:`,
  'notes that nearly end': `\x1b_quayside:${ID}:end:1\x1b`,
  'farewells that never end': '\x1b[999H\r\n[EOF',
};
const READERS: Readonly<Record<string, () => (bytes: Buffer) => void>> = {
  'the shell’s marks': () => {
    const reader = new EscapeParser(new ShellIntegration({ finished: () => undefined }));
    return (bytes) => reader.feed(bytes);
  },
  'the modes': () => {
    const reader = new EscapeParser(new Modes());
    return (bytes) => reader.feed(bytes);
  },
  'the control notes': () => (bytes) => {
    new ControlScanner(ID, Buffer.from('\x1b[999H\r\n[EOF - dtach terminating]\r\n')).push(bytes);
  },
};

describe.each(Object.keys(READERS))('the reader of %s', (name) => {
  test.each(Object.entries(OPENERS))('looks at each byte a few times only: %s', (_, text) => {
    const read = READERS[name]?.();
    for (let round = 0; round < CHUNKS; round++) {
      const { buffer, visits } = countingBuffer(repeated(text, CHUNK));
      read?.(buffer);
      expect(visits()).toBeLessThan(VISITS_A_BYTE * CHUNK);
    }
  });
});
