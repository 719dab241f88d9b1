import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CommandOptions, runCommand } from '../../../server/guide/run-command.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { background, FakeShell } from '../terminal/fake-shell.ts';

const PROMPT = '\x1b]633;A;aid=1\x07$ ';
const STARTED = '\x1b]633;C;aid=1\x07';
const FINISHED = '\x1b]633;D;0;aid=1\x07';
const KEY_MS = 5;
/** In which the prompt has settled and the first letters are typed. */
const SOME_KEYS_MS = 40;
/** In which a whole line is typed. */
const ALL_KEYS_MS = 1_000;
const COMMAND = 'sleep 600';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

async function atPrompt(options: Partial<CommandOptions> = {}) {
  const shell = new FakeShell();
  const identity = { id: 't', host: 'server01', title: 'server01' };
  const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
  shell.print(PROMPT);
  shell.input.length = 0;
  const { viewer } = terminal.attach(
    { client: 1n, attention: 'active', epoch: 0n, offset: 0 },
    { wake() {}, sized() {}, closed() {}, drained() {} },
  );
  const { signal } = new AbortController();
  const command = runCommand(terminal, COMMAND, { keyMs: KEY_MS, signal, ...options });
  // A test looks at its end when it has got there.
  command.catch(() => undefined);
  return {
    shell,
    typed: () => shell.input.join(''),
    command,
    press: (keys: string) => terminal.input(viewer, terminal.taken(1n), Buffer.from(keys)),
    [Symbol.dispose]: () => terminal.detach(),
  };
}

test('a command is typed key by key, and Enter last', async () => {
  using at = await atPrompt();
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  expect(at.typed()).toBe('\x15sleep 600\r');
  expect(at.shell.input).toContain('s');
  at.shell.print(STARTED + FINISHED);
  at.shell.print(PROMPT);
  expect(await at.command).toMatchObject({ interrupted: false });
});

test('not a key more follows where the learner types, however soon the next prompt is there', async () => {
  using at = await atPrompt();
  await vi.advanceTimersByTimeAsync(SOME_KEYS_MS);
  expect(at.typed()).toContain('sl');
  at.press('echo mine\r');
  at.shell.print(PROMPT);
  await expect(at.command).rejects.toThrow('You typed into server01');
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  expect(at.shell.input.slice(-2)).toEqual(['\x15', 'echo mine\r']);
});

test('nothing is entered in a terminal that a program has taken meanwhile', async () => {
  using at = await atPrompt();
  await vi.advanceTimersByTimeAsync(SOME_KEYS_MS);
  expect(at.typed()).toContain('sl');
  at.shell.print(STARTED);
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  await expect(at.command).rejects.toThrow('server01 is not at its prompt any more');
  expect(at.typed()).not.toContain('\r');
});

test('what a command prints is kept as far as a lab’s longest output goes, the end of it', async () => {
  using at = await atPrompt();
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  at.shell.print(STARTED);
  for (let piece = 0; piece < 100; piece++) at.shell.print('y\r\n'.repeat(10_000));
  at.shell.print(`the end${FINISHED}${PROMPT}`);
  const { output } = await at.command;
  expect(output.length).toBeLessThanOrEqual(64 * 1024);
  expect(output).toMatch(/the end$/);
});

test('a command that stays is not waited for once its step has ticked', async () => {
  const ticked = Promise.withResolvers<void>();
  using at = await atPrompt({ ticked: ticked.promise });
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  at.shell.print(`${STARTED}listening on port 80\r\n`);
  ticked.resolve();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await at.command).toMatchObject({
    status: undefined,
    output: expect.stringContaining('listening'),
  });
});

test('a command that does not end is given up, and what stopped it leaves no timer', async () => {
  using at = await atPrompt();
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS + 120_000);
  await expect(at.command).rejects.toThrow('has been running in server01 for 120 s');
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  ['while it is typed', SOME_KEYS_MS, '\x15'],
  ['while it runs', ALL_KEYS_MS, '\x03'],
])('a command that is called off %s makes room', async (_, after, last) => {
  const stop = new AbortController();
  using at = await atPrompt({ signal: stop.signal });
  await vi.advanceTimersByTimeAsync(after);
  stop.abort(new Error('called off'));
  await expect(at.command).rejects.toThrow('called off');
  expect(at.shell.input.at(-1)).toBe(last);
  expect(vi.getTimerCount()).toBe(0);
});

test('of a command that stays, what it prints first is waited for', async () => {
  using at = await atPrompt({ stays: true });
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  let isDone = false;
  void at.command.then(() => {
    isDone = true;
  });
  at.shell.print(STARTED);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isDone).toBe(false);
  at.shell.print('listening on port 80\r\n');
  await vi.advanceTimersByTimeAsync(100);
  expect(await at.command).toEqual({
    status: undefined,
    output: 'listening on port 80\r\n',
    interrupted: false,
  });
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  ['its step has ticked', Promise.resolve(), 0],
  ['it has run in silence for a while', undefined, 5_000],
])(
  'a command that stays and prints nothing is not waited for once %s',
  async (_, ticked, after) => {
    using at = await atPrompt({ stays: true, ticked });
    await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
    at.shell.print(STARTED);
    await vi.advanceTimersByTimeAsync(after);
    expect(await at.command).toMatchObject({ status: undefined, output: '' });
  },
);

test('a command that should stay and fails at once is told with its status', async () => {
  using at = await atPrompt({ stays: true });
  await vi.advanceTimersByTimeAsync(ALL_KEYS_MS);
  at.shell.print(`\x1b]633;E;sleep;aid=1\x07${STARTED}\x1b]633;D;127;aid=1\x07${PROMPT}`);
  expect(await at.command).toMatchObject({ status: 127 });
  expect(vi.getTimerCount()).toBe(0);
});
