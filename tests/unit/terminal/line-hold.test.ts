import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LineHold } from '../../../server/terminal/line-hold.ts';

let written: string[];
let hold: LineHold;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  hold = new LineHold((input) => written.push(Buffer.from(input).toString()));
});
afterEach(() => {
  hold.stop();
  vi.useRealTimers();
});

const takes = (text: string, ready?: Promise<void>) => hold.take(Buffer.from(text), ready);
const NEVER = new Promise<void>(() => undefined);

test('where nothing is waited for, all goes on at once', () => {
  takes('ls\r');
  expect(written).toEqual(['ls\r']);
});

test('keys go on at once, and a line that is entered waits, with all after it in its order', async () => {
  const ready = Promise.withResolvers<void>();
  for (const keys of ['i', 'p', '\r', 'ls', '\r']) takes(keys, ready.promise);
  expect(written).toEqual(['i', 'p']);
  ready.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(written.join('')).toBe('ip\rls\r');
});

test('what comes when nothing is waited for any more stays behind what is held', async () => {
  const ready = Promise.withResolvers<void>();
  takes('one\r', ready.promise);
  takes('two\r');
  expect(written).toEqual([]);
  ready.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual(['one\r', 'two\r']);
});

test('a wait that fails lets the line go on', async () => {
  takes('ls\r', Promise.reject(new Error('the host is away')));
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual(['ls\r']);
});

test('nobody waits longer than ten seconds, nor after a Ctrl-C, nor with a flood', async () => {
  takes('ls\r', NEVER);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(written).toEqual(['ls\r']);
  takes('sleep 1\r', NEVER);
  takes('\u0003', NEVER);
  expect(written.slice(1)).toEqual(['sleep 1\r', '\u0003']);
  takes(`${'x'.repeat(70_000)}\r`, NEVER);
  expect(written).toHaveLength(4);
});

test('what is held when the terminal goes is given up', async () => {
  takes('ls\r', NEVER);
  hold.stop();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(written).toEqual([]);
});
