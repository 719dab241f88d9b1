import { expect, test } from 'vitest';
import { ControlScanner, type StreamItem } from '../../../server/terminal/control-scanner.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

const FAREWELL = '\x1b[999H\r\n[EOF - dtach terminating]\r\n';

/** The pieces in a form that does not depend on where the stream was cut. */
function told(pieces: readonly StreamItem[], flushed = ''): string {
  const text = pieces.map((piece) =>
    piece.kind === 'bytes' ? piece.bytes.toString('latin1') : `<${piece.note} ${piece.status}>`,
  );
  return text.join('') + flushed;
}

test('finds our notes and drops what dtach says, wherever the stream is cut', () => {
  const stream = Buffer.from(
    `noise\x1b_quayside:t1:begin\x1b\\$ ls\x1b[1;34mdir\x1b[0m\x1b_quayside:t2:end:0\x1b\\` +
      `\x1b[999H\r\n[EOF\x1b\x1b_quayside:t1:end:130\x1b\\${FAREWELL}\x1b_quayside:t1:left:0\x1b\\`,
    'latin1',
  );
  const expected =
    'noise<begin undefined>$ ls\x1b[1;34mdir\x1b[0m\x1b_quayside:t2:end:0\x1b\\' +
    '\x1b[999H\r\n[EOF\x1b<end 130><left 0>';
  const integer = integers(seeded(2));
  for (let round = 0; round < 500; round++) {
    const scanner = new ControlScanner('t1', Buffer.from(FAREWELL));
    const pieces = [...cut(stream, 1 + integer(20), integer)].flatMap((piece) =>
      scanner.push(piece),
    );
    expect(told(pieces, scanner.flush().toString('latin1'))).toBe(expected);
  }
});

test('lets through what only looks like a note', () => {
  const scanner = new ControlScanner('t1', Buffer.from(FAREWELL));
  const text = `\x1b_quayside:t1:${'x'.repeat(100)}\x1b\\\x1b_quayside:t1:end:no\x1b\\`;
  const pieces = scanner.push(Buffer.from(text));
  expect(told(pieces, scanner.flush().toString())).toBe(text);
});

test('holds back no more than the start of a note', () => {
  const scanner = new ControlScanner('t1', Buffer.from(FAREWELL));
  expect(told(scanner.push(Buffer.from('prompt$ ')))).toBe('prompt$ ');
  expect(told(scanner.push(Buffer.from('\x1b[0m')))).toBe('\x1b[0m');
  expect(told(scanner.push(Buffer.from('a\x1b_quay')))).toBe('a');
  expect(told(scanner.push(Buffer.from('z')))).toBe('\x1b_quayz');
});
