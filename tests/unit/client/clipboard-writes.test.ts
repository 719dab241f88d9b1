import { expect, test } from 'vitest';
import { MOST_BASE64, textToCopy } from '../../../src/client/terminal/clipboard-writes.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

test.each(['c', '', 's0', 'pc'])('text for the selection %j goes on the clipboard', (selection) => {
  expect(textToCopy(`${selection};${base64('née 日本')}`)).toBe('née 日本');
});

test.each([
  ['a question', 'c;?'],
  ['nothing', 'c;'],
  ['no base64', 'c;a b'],
  ['no UTF-8', `c;${Buffer.from([0xff, 0xfe, 0xfd]).toString('base64')}`],
  ['no selection there is', `x;${base64('a')}`],
  ['more than anybody selects', `c;${'A'.repeat(MOST_BASE64 + 4)}`],
])('%s is not', (_, data) => {
  expect(textToCopy(data)).toBeUndefined();
});

test('what would be keys of its own in a terminal is left out', () => {
  expect(textToCopy(`c;${base64('a\u001b[201~b\u0007')}`)).toBe('a[201~b');
});
