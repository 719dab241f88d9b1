import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { ShellConnection } from '../../../server/terminal/shell-connection.ts';
import { FakeShell } from './fake-shell.ts';

const SIZE = { cols: 80, rows: 24 };
/** Longer than it ever waits before it tries again. */
const NEXT_TRY_MS = 10_000;

let background: Background;
let shell: FakeShell;
let connection: ShellConnection;
let output: string;
let exits: (number | undefined)[];

beforeEach(() => {
  vi.useFakeTimers();
  background = new Background(() => undefined);
  shell = new FakeShell();
  output = '';
  exits = [];
  const listener = {
    output: (bytes: Buffer) => {
      output += bytes.toString();
    },
    ended: (status: number | undefined) => void exits.push(status),
    drained: () => undefined,
  };
  connection = new ShellConnection(shell, SIZE, listener, background);
});

afterEach(async () => {
  connection.close();
  await background.settled();
  expect(vi.getTimerCount()).toBe(0);
  expect([...background.failures.keys()]).toEqual([]);
  vi.useRealTimers();
});

const type = (text: string) => connection.write(Buffer.from(text));

test('a transport that breaks is replaced while the shell lives, and what is typed meanwhile arrives', async () => {
  await connection.open();
  shell.note('left');
  type('echo hello\r');
  expect(connection.queued).toBe(11);
  await vi.advanceTimersByTimeAsync(0);
  expect(shell.transports.map(({ disposed }) => disposed)).toEqual([true, false]);
  expect(shell.input).toEqual(['echo hello\r']);
  expect(exits).toEqual([]);
});

test('a transport that breaks as it is made is replaced as well', async () => {
  shell.onJoin = (transport) => {
    if (shell.transports.length === 1) queueMicrotask(() => transport.note('left'));
  };
  await connection.open();
  await vi.advanceTimersByTimeAsync(0);
  type('echo hello\r');
  expect(shell.transports.map(({ disposed }) => disposed)).toEqual([true, false]);
  expect(shell.input).toEqual(['echo hello\r']);
});

test('what an earlier transport still tells is ignored', async () => {
  await connection.open();
  const [first] = shell.transports;
  first?.print('one ');
  first?.note('left');
  await vi.advanceTimersByTimeAsync(0);
  first?.print('stray');
  first?.note('left');
  first?.note('end', 1);
  shell.print('two');
  await vi.advanceTimersByTimeAsync(NEXT_TRY_MS);
  expect(output).toBe('one two');
  expect(shell.transports).toHaveLength(2);
  expect(exits).toEqual([]);
});

test('a shell that has ended for sure has ended, however that was', async () => {
  await connection.open();
  shell.told = { kind: 'gone' };
  shell.note('left');
  await vi.advanceTimersByTimeAsync(0);
  expect(exits).toEqual([undefined]);
});

test('a shell that cannot be asked is asked again until it can, and has not ended meanwhile', async () => {
  await connection.open();
  shell.told = { kind: 'unknown', cause: new Error('the host is paused') };
  shell.note('left');
  await vi.advanceTimersByTimeAsync(60 * NEXT_TRY_MS);
  expect(exits).toEqual([]);
  shell.told = { kind: 'alive' };
  await vi.advanceTimersByTimeAsync(NEXT_TRY_MS);
  type('still here\r');
  expect(shell.input).toEqual(['still here\r']);
});

test('a shell that lives and cannot be joined is tried again', async () => {
  await connection.open();
  const join = vi.spyOn(shell, 'join').mockRejectedValue(new Error('no'));
  shell.note('left');
  await vi.advanceTimersByTimeAsync(NEXT_TRY_MS);
  expect(join.mock.calls.length).toBeGreaterThan(2);
  join.mockRestore();
  await vi.advanceTimersByTimeAsync(2 * NEXT_TRY_MS);
  expect(connection.isOpen).toBe(true);
});

test('a program that prints that its transport has broken, again and again, makes few joins', async () => {
  shell.onJoin = (transport) => setTimeout(() => transport.note('left'), 1);
  await connection.open();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(shell.transports.length).toBeLessThan(12);
});

test('a shell that ends as it is joined has ended once', async () => {
  shell.onJoin = (transport) => {
    transport.print('bye');
    transport.note('end', 3);
  };
  await connection.open();
  expect(output).toBe('bye');
  expect(exits).toEqual([3]);
  expect(shell.transports[0]?.disposed).toBe(true);
});

test('input that comes byte by byte while there is no transport costs a byte each', async () => {
  await connection.open();
  shell.note('left');
  for (let typed = 0; typed < 100_000; typed++) type('x');
  await vi.advanceTimersByTimeAsync(0);
  expect(shell.input.join('')).toBe('x'.repeat(100_000));
  expect(shell.input.length).toBeLessThan(100);
});

test('an owner that throws is logged, and the next output comes', async () => {
  await connection.open();
  const fail = vi.spyOn(exits, 'push').mockImplementation(() => {
    throw new Error('database is locked');
  });
  shell.note('end', 0);
  expect(background.failures.get('take in a shell’s output')).toBe(1);
  fail.mockRestore();
  vi.spyOn(background, 'failures', 'get').mockReturnValue(new Map());
});
