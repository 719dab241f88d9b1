import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { runCommand } from '../../../server/guide/run-command.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { background, FakeShell } from '../terminal/fake-shell.ts';

const PROMPT = '\x1b]633;A;aid=1\x07$ ';
const KEY_MS = 5;
/** In which a typist who goes on has typed several keys more. */
const KEYS_MS = 10 * KEY_MS;
const COMMAND = 'sleep 600';
const NEVER = new Promise<void>(() => undefined);

async function atPrompt() {
  const shell = new FakeShell();
  const identity = { id: 't', host: 'server01', title: 'server01' };
  const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
  shell.print(PROMPT);
  shell.input.length = 0;
  const { viewer } = terminal.attach(
    { client: 1n, attention: 'active', epoch: 0n, offset: 0 },
    { wake() {}, sized() {}, closed() {}, drained() {} },
  );
  return {
    shell,
    typed: () => shell.input.join(''),
    command: runCommand(terminal, COMMAND, {
      keyMs: KEY_MS,
      done: NEVER,
      signal: new AbortController().signal,
    }),
    press: (keys: string) => terminal.input(viewer, terminal.taken(1n), Buffer.from(keys)),
    [Symbol.dispose]: () => terminal.detach(),
  };
}

test('a command is typed key by key, and Enter last', async () => {
  using at = await atPrompt();
  await vi.waitFor(() => expect(at.typed()).toBe('\x05\x15sleep 600\r'));
  expect(at.shell.input).toContain('s');
  at.shell.print('\x1b]633;C;aid=1\x07\x1b]633;D;0;aid=1\x07');
  at.shell.print(PROMPT);
  expect(await at.command).toMatchObject({ interrupted: false });
});

test('not a key more follows where the learner types, however soon the next prompt is there', async () => {
  using at = await atPrompt();
  await vi.waitFor(() => expect(at.typed()).toContain('sl'));
  at.press('echo mine\r');
  at.shell.print(PROMPT);
  await expect(at.command).rejects.toThrow('You typed into server01');
  await delay(KEYS_MS);
  expect(at.shell.input.slice(-2)).toEqual(['\x05\x15', 'echo mine\r']);
});

test('nothing is entered in a terminal that a program has taken meanwhile', async () => {
  using at = await atPrompt();
  await vi.waitFor(() => expect(at.typed()).toContain('sl'));
  at.shell.print('\x1b]633;C;aid=1\x07');
  await expect(at.command).rejects.toThrow('server01 is not at its prompt any more');
  await delay(KEYS_MS);
  expect(at.typed()).not.toContain('\r');
});
