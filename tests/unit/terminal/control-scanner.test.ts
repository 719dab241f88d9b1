import { expect, test } from 'vitest';
import { ControlScanner, type StreamItem } from '../../../server/terminal/control-scanner.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

const FAREWELL = '\x1b[999H\r\n[EOF - dtach terminating]\r\n';

/** The items in a form that does not depend on where the stream was cut. */
function asText(items: readonly StreamItem[], flushed = ''): string {
  const text = items.map((item) =>
    item.kind === 'output' ? item.bytes.toString('latin1') : `<${item.note} ${item.status}>`,
  );
  return text.join('') + flushed;
}

test('finds the control notes and drops what dtach prints, wherever the stream is cut', () => {
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
    const items = [...cut(stream, 1 + integer(20), integer)].flatMap((chunk) =>
      scanner.push(chunk),
    );
    expect(asText(items, scanner.flush().toString('latin1'))).toBe(expected);
  }
});

test('lets through what only looks like a note', () => {
  const scanner = new ControlScanner('t1', Buffer.from(FAREWELL));
  const text = `\x1b_quayside:t1:${'x'.repeat(100)}\x1b\\\x1b_quayside:t1:end:no\x1b\\`;
  const items = scanner.push(Buffer.from(text));
  expect(asText(items, scanner.flush().toString())).toBe(text);
});

test('holds back no more than the start of a note', () => {
  const scanner = new ControlScanner('t1', Buffer.from(FAREWELL));
  expect(asText(scanner.push(Buffer.from('prompt$ ')))).toBe('prompt$ ');
  expect(asText(scanner.push(Buffer.from('\x1b[0m')))).toBe('\x1b[0m');
  expect(asText(scanner.push(Buffer.from('a\x1b_quay')))).toBe('a');
  expect(asText(scanner.push(Buffer.from('z')))).toBe('\x1b_quayz');
});
