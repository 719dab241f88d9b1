import { expect, test } from 'vitest';
import { EscapeParser } from '../../../server/terminal/escape-parser.ts';
import { Modes } from '../../../server/terminal/modes.ts';
import { Output } from '../../../server/terminal/output.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

function preambleAfter(bytes: Buffer): Buffer {
  const modes = new Modes();
  new EscapeParser(modes).feed(bytes);
  return modes.preamble();
}

test('keeps exactly the last bytes, whatever the sizes they come in', () => {
  const integer = integers(seeded(1));
  const stream = Buffer.from(Array.from({ length: 300_000 }, () => integer(256)));
  const output = new Output(40_000);
  for (const chunk of cut(stream, 3_000, integer)) output.append(chunk);
  expect(output.head).toBe(stream.byteLength);
  expect(output.start).toBe(stream.byteLength - 40_000);
  expect(output.since(0).equals(stream.subarray(-40_000))).toBe(true);
});

test('a replay begins at a line, in the modes that all the lost bytes have left', () => {
  const integer = integers(seeded(6));
  const sequences = [
    '\x1b[?1049h',
    '\x1b[?25l',
    '\x1b[?25h',
    '\x1b[2 q',
    '\x1b=',
    '\x1bc',
    'text\r\n',
  ];
  const stream = Buffer.from(
    Array.from({ length: 100_000 }, () => sequences[integer(sequences.length)]).join(''),
  );
  const limit = 50_000;
  const output = new Output(limit);
  let printed = 0;
  for (const chunk of cut(stream, 7_000, integer)) {
    output.append(chunk);
    printed += chunk.byteLength;
    const { offset, preamble } = output.oldest();
    expect(Buffer.from(preamble)).toEqual(preambleAfter(stream.subarray(0, offset)));
    expect(output.since(offset).equals(stream.subarray(offset, printed))).toBe(true);
    expect(offset - output.start).toBeLessThan(limit / 100);
    if (offset > 0) expect(stream.toString('latin1', offset - 2, offset)).toBe('\r\n');
  }
});

test.each([
  ['a long line', 'x', 0],
  ['characters of several bytes', '語', 0],
  ['lines in a string without end', '\r\n', 3],
])(
  'without a line end a replay begins between two sequences, and within no character: %s',
  (_, text, opener) => {
    const integer = integers(seeded(9));
    const stream = Buffer.from('\x1b]0'.slice(0, opener) + text.repeat(40_000));
    const output = new Output(20_000);
    for (const chunk of cut(stream, 300, integer)) output.append(chunk);
    const { offset } = output.oldest();
    if (opener > 0) expect(offset).toBe(output.head);
    else expect(offset - output.start).toBeLessThan(1_000);
    expect(output.since(offset).toString()).not.toContain('\ufffd');
  },
);

test('takes more at once than it keeps', () => {
  const output = new Output(10);
  output.append(Buffer.from('abc'));
  output.append(Buffer.from('\x1b[?25l0123456789ABCDE'));
  expect(output.since(0).toString()).toBe('56789ABCDE');
  expect(Buffer.from(output.oldest().preamble).toString()).toBe('\x1b[?25l');
});

test('gives nothing at its head and refuses what it does not have', () => {
  const output = new Output(4);
  output.append(Buffer.from('abcdef'));
  expect(output.read(6, 10).byteLength).toBe(0);
  expect(() => output.read(1, 1)).toThrow(RangeError);
  expect(() => output.read(7, 1)).toThrow(RangeError);
});
