import { expect, test } from 'vitest';
import { Modes } from '../../../server/terminal/modes.ts';
import { Output } from '../../../server/terminal/output.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

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
    'text\n',
  ];
  const stream = Buffer.from(
    Array.from({ length: 20_000 }, () => sequences[integer(sequences.length)]).join(''),
  );
  const output = new Output(5_000);
  let printed = 0;
  for (const chunk of cut(stream, 7_000, integer)) {
    output.append(chunk);
    printed += chunk.byteLength;
    const { offset, preamble } = output.replayStart();
    const lost = new Modes();
    lost.feed(stream.subarray(0, offset));
    if (offset > 0) expect(stream[offset - 1]).toBe(0x0a);
    expect(Buffer.from(preamble).equals(lost.preamble())).toBe(true);
    expect(output.since(offset).equals(stream.subarray(offset, printed))).toBe(true);
  }
});

test('takes more at once than it keeps', () => {
  const output = new Output(10);
  output.append(Buffer.from('abc'));
  output.append(Buffer.from('\x1b[?25l0123456789ABCDE'));
  expect(output.since(0).toString()).toBe('56789ABCDE');
  expect(Buffer.from(output.replayStart().preamble).toString()).toBe('\x1b[?25l');
});

test('gives nothing at its head and refuses what it does not have', () => {
  const output = new Output(4);
  output.append(Buffer.from('abcdef'));
  expect(output.read(6, 10).byteLength).toBe(0);
  expect(() => output.read(1, 1)).toThrow(RangeError);
  expect(() => output.read(7, 1)).toThrow(RangeError);
});
