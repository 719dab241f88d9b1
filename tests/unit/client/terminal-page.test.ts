import { expect, test } from 'vitest';
import { INPUT_WINDOW } from '#protocol';
import { Beginning } from '../../../src/client/terminal/beginning.ts';
import { cleanText } from '../../../src/client/terminal/clean-text.ts';
import { failureText, isFailure } from '../../../src/client/terminal/command-status.ts';
import { InputQueue } from '../../../src/client/terminal/input-queue.ts';
import { doubtOf } from '../../../src/client/terminal/paste.ts';
import { pasteQuestion } from '../../../src/client/terminal/status-bar.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (piece: { bytes: Uint8Array } | undefined) =>
  piece && new TextDecoder().decode(piece.bytes);

test('what is pasted carries no keys of its own', () => {
  expect(cleanText('echo \x1b[201~rm\x1b]0;x\x07\r\nnext\ttab\u009b2Jé\x7f')).toBe(
    'echo [201~rm]0;x\nnext\ttab2Jé',
  );
});

const shown = (bracketedPasteMode: boolean, type: 'normal' | 'alternate' = 'normal') => ({
  modes: { bracketedPasteMode },
  buffer: { active: { type } },
});
const WHOLE = 'x'.repeat(4095);

test.each([
  ['one that fits', WHOLE, undefined],
  ['one byte too many', `${WHOLE}x`, /a line of 4,096 bytes\?.*only the first 4,095 of it/],
  ['bytes, not letters', `${'é'.repeat(2048)}`, /a line of 4,096 bytes/],
  ['a line that would run', 'ls\n', /^Paste a line\? It runs as it arrives\.$/],
  ['several', 'ls\npwd\n', /^Paste 2 lines\? Each runs as it arrives\.$/],
  ['one of several', `ls\n${WHOLE}x\npwd`, /^Paste 3 lines, one of 4,096 bytes\?/],
  ['each of several fits', `${WHOLE}\n${WHOLE}`, /^Paste 2 lines\? Each runs/],
])('of what is pasted into a program that takes lines, the page asks: %s', (_, pasted, asked) => {
  const doubt = doubtOf(pasted, shown(false));
  if (asked === undefined) expect(doubt).toBeUndefined();
  else expect(doubt && pasteQuestion(doubt)).toMatch(asked);
  expect(doubtOf(pasted, shown(true))).toBeUndefined();
});

test('on the alternate screen a line of any length arrives', () => {
  expect(doubtOf(`${WHOLE}x`, shown(false, 'alternate'))).toBeUndefined();
});

test('after a cut, exactly what had not arrived is sent again', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.add(bytes('abc'));
  expect(text(queue.next())).toBe('abc');
  queue.add(bytes('def'));
  expect(text(queue.next())).toBe('def');
  queue.resume(4);
  expect(queue.next()).toEqual({ offset: 4, bytes: bytes('ef') });
  queue.taken(6);
  expect(queue.length).toBe(0);
});

test('across a restart of the server, what was under way is given up and what was not is sent', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.add(bytes('under way'));
  queue.next();
  queue.add(bytes('waiting'));
  queue.restart(0);
  expect(queue.next()).toEqual({ offset: 0, bytes: bytes('waiting') });
});

test('no more is under way than the window allows', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.add(new Uint8Array(3 * INPUT_WINDOW));
  let sent = 0;
  const send = () => {
    for (let piece = queue.next(); piece; piece = queue.next()) sent += piece.bytes.byteLength;
  };
  send();
  expect(sent).toBe(INPUT_WINDOW);
  queue.taken(1000);
  send();
  expect(sent).toBe(INPUT_WINDOW + 1000);
});

test('a report from the time before is no news', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.add(bytes('abc'));
  queue.taken(99);
  expect(text(queue.next())).toBe('abc');
});

test('what waited through a long cut is given up, but for what had arrived', () => {
  const queue = new InputQueue();
  queue.resume(0);
  queue.add(bytes('abc'));
  queue.next();
  queue.add(bytes('def'));
  expect(queue.forget(2)).toBe(4);
  queue.add(bytes('x'));
  expect(queue.next()).toEqual({ offset: 2, bytes: bytes('x') });
});

test('the first prompt of a shell is no news; what happens after it is', () => {
  const prompt = bytes('\x1b]633;A;aid=7\x07learner@server01:~$ ');
  const shell = new Beginning();
  expect(shell.includes(prompt, prompt.byteLength)).toBe(true);
  expect(shell.includes(bytes('\x1b]633;C;aid=7\x07'), 90)).toBe(false);
  expect(shell.includes(prompt, 140)).toBe(false);

  const withoutMarks = new Beginning();
  expect(withoutMarks.includes(bytes('$ '), 2)).toBe(true);
  expect(withoutMarks.includes(bytes('…'), 4_000)).toBe(false);
});

test('a failure is told in words; a command that only waits is none', () => {
  expect(failureText(2)).toBe('This command ended with status 2.');
  expect(failureText(127)).toBe('This command ended with status 127: there is no such command.');
  expect(failureText(138)).toBe('This command ended with status 138: signal 10.');
  expect([0, 1, 130, 148].filter(isFailure)).toEqual([1, 130]);
});
