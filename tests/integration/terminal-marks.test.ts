import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineLab } from '#lab';
import type { FinishedCommand } from '../../server/terminal/shell-integration.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { openRuntime, startSandbox } from './stage.ts';
import { openTerminal, Page, serveTerminals } from './terminal-stage.ts';

const CTRL_C = '\x03';
const PROMPT_MARK = '\x1b]633;A;';
const LAB = defineLab({
  title: 'Marks',
  hosts: { server01: { address: '10.1.10.11/24' } },
  images: {},
  browser: 'server01',
  sections: [],
});

let open: Awaited<ReturnType<typeof openRuntime>>;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;

beforeAll(async () => {
  open = await openRuntime(new Map([['marks', LAB]]));
  sandbox = await startSandbox(open.runtime, open.instance, LAB);
});

afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
  await open?.[Symbol.asyncDispose]();
});

/** A fresh shell on the host, and what it tells of its commands. */
class Shell implements AsyncDisposable {
  readonly page: Page;
  readonly commands: FinishedCommand[] = [];
  readonly #terminal: Terminal;
  readonly #server: Awaited<ReturnType<typeof serveTerminals>>;

  private constructor(terminal: Terminal, server: Awaited<ReturnType<typeof serveTerminals>>) {
    this.#terminal = terminal;
    this.#server = server;
    this.page = new Page(server.url(terminal));
    terminal.onCommand((command) => this.commands.push(command));
  }

  static async open(): Promise<Shell> {
    const host = sandbox.sandbox.host('server01');
    const terminal = await openTerminal(host, { id: randomUUID(), title: 'server01' });
    const shell = new Shell(terminal, await serveTerminals(terminal));
    await shell.prompts(1);
    return shell;
  }

  /** Types a line, and waits for the next prompt. */
  async line(text: string): Promise<void> {
    const before = this.#prompts();
    this.page.type(`${text}\r`);
    await this.prompts(before + 1);
  }

  async prompts(count: number): Promise<void> {
    await this.page.until(() => this.#prompts() >= count);
  }

  #prompts(): number {
    return this.page.screen.split(PROMPT_MARK).length - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.page[Symbol.dispose]();
    await this.#terminal.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

test('each kind of line is told with its own status, and what ran nothing is not told', async () => {
  await using shell = await Shell.open();
  await shell.line('false');
  await shell.line('');
  await shell.line('# nothing');
  // A Ctrl-C that comes while bash reads or draws a line waits for the next key: the line is there first.
  await shell.page.until(({ screen }) => screen.endsWith('$ '));
  shell.page.type('half a line');
  await shell.page.until(({ screen }) => screen.endsWith('half a line'));
  shell.page.type(CTRL_C);
  await shell.prompts(5);
  await shell.line("sh -c 'kill -9 $$'");
  await shell.line('for i in 1 2\rdo echo $i\rdone');
  await shell.line('nosuch');
  await shell.line('(exit 300)');
  await shell.line('^300^3');
  await shell.line('(exit 3)');
  await shell.line(`echo 'a;\\b' "é"`);
  expect(shell.commands).toEqual([
    { line: 'false', status: 1 },
    { line: "sh -c 'kill -9 $$'", status: 137 },
    { line: 'for i in 1 2; do echo $i; done', status: 0 },
    { line: 'nosuch', status: 127 },
    { line: '(exit 300)', status: 44 },
    { line: '(exit 3)', status: 3 },
    { line: '(exit 3)', status: 3 },
    { line: `echo 'a;\\b' "é"`, status: 0 },
  ]);
});

test('a command stopped with Ctrl-C is told as such', async () => {
  await using shell = await Shell.open();
  // Said by the command itself: before it has the terminal, Ctrl-C is the shell's.
  const line = `sh -c 'echo sta""rted; exec sleep 1000'`;
  shell.page.type(`${line}\r`);
  await shell.page.until(({ screen }) => screen.includes('started\r\n'));
  shell.page.type(CTRL_C);
  await expect.poll(() => shell.commands).toEqual([{ line, status: 130 }]);
});

test('of several lines that were pasted as one, each is told by itself', async () => {
  await using shell = await Shell.open();
  await shell.line(
    '\x1b[200~echo one\nfalse\n# two\nfor i in 1\ndo echo $i\ndone\n(exit 7)\x1b[201~',
  );
  expect(shell.commands).toEqual([
    { line: 'echo one', status: 0 },
    { line: 'false', status: 1 },
    { line: 'for i in 1; do echo $i; done', status: 0 },
    { line: '(exit 7)', status: 7 },
  ]);
});

test('shells of root, and shells within shells, are told of as well', async () => {
  await using shell = await Shell.open();
  for (const line of ['sudo -i', 'whoami', 'su learner', 'false', 'exit', 'exit']) {
    await shell.line(line);
  }
  for (const line of ['bash', 'true', 'exit', 'sudo su -', '(exit 9)', 'exit']) {
    await shell.line(line);
  }
  expect(shell.commands).toEqual([
    { line: 'whoami', status: 0 },
    { line: 'false', status: 1 },
    { line: 'su learner', status: 1 },
    { line: 'sudo -i', status: 1 },
    { line: 'true', status: 0 },
    { line: 'bash', status: 0 },
    { line: '(exit 9)', status: 9 },
    { line: 'sudo su -', status: 9 },
  ]);
});

test('a learner’s own prompt, traps and options feel nothing of the marks', async () => {
  await using shell = await Shell.open();
  await shell.line("trap 'echo tr''apped' ERR; set -u; set -x");
  await shell.line('false | true | false');
  await shell.line(`echo "status $? of \${PIPESTATUS[*]}"`);
  await shell.line('echo last; set +ux');
  await shell.line('echo "argument $_"');
  expect(shell.page.screen).toContain('status 1 of 1 0 1');
  expect(shell.page.screen).toContain('argument +ux');
  expect(shell.page.screen).not.toContain('__quayside');
  expect(shell.page.screen.match(/\r\ntrapped/g)).toHaveLength(1);

  await shell.line("PROMPT_COMMAND='echo mi''ne'; PS1='$? > '");
  await shell.line('PROMPT_COMMAND="$PROMPT_COMMAND; echo st""ill"');
  await shell.line('(exit 5)');
  await shell.page.until(({ screen }) => screen.endsWith('5 > '));
  expect(shell.page.screen).toMatch(/mine\r\nstill\r\n\S*5 > $/);
  expect(shell.commands.at(-1)).toEqual({ line: '(exit 5)', status: 5 });
});

test('what a learner keeps out of the history is not told', async () => {
  await using shell = await Shell.open();
  await shell.line('HISTCONTROL=ignorespace');
  await shell.line(' echo secret');
  await shell.line("HISTIGNORE='echo *'");
  await shell.line('echo secret');
  await shell.line('set +o history');
  await shell.line('true secret');
  expect(shell.commands.map(({ line }) => line)).toEqual([
    'HISTCONTROL=ignorespace',
    "HISTIGNORE='echo *'",
    'set +o history',
  ]);
});

test('another shell in its place has no marks, and works', async () => {
  await using shell = await Shell.open();
  shell.page.type('exec sh\r');
  // The prompt before it ends in the same way.
  await shell.page.until(({ screen }) => /exec sh\r\n.*\$ $/s.test(screen));
  expect(await shell.page.run('echo st""ill here')).toContain('still here');
  expect(shell.commands).toEqual([]);
});
