import { expect, test } from 'vitest';
import { INPUT_WINDOW } from '#protocol';
import { cleanText } from '../../src/client/terminal/clean-text.ts';
import { InputQueue } from '../../src/client/terminal/input-queue.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (piece: { bytes: Uint8Array } | undefined) =>
  piece && new TextDecoder().decode(piece.bytes);

test('what is pasted carries no keys of its own', () => {
  expect(cleanText('echo \x1b[201~rm\x1b]0;x\x07\r\nnext\ttab\u009b2Jé\x7f')).toBe(
    'echo [201~rm]0;x\nnext\ttab2Jé',
  );
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
