import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { Pty } from '../../../server/terminal/pty.ts';
import type { Shell } from '../../../server/terminal/shell-transport.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { background } from '../terminal/fake-shell.ts';

/** What every host's bash reads. */
const BASHRC = resolve(import.meta.dirname, '../../../images/lab-host/bashrc');
/** As it ends, for a learner and for root. */
export const PROMPT = /[$#] $/;

/** A host's bash on this machine: the same prompt and the same marks. */
class LocalBash implements Shell {
  readonly home = mkdtempSync(join(tmpdir(), 'quayside-bash-'));
  readonly #id: string;
  #pty: Pty | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  async join(...[size, listener]: Parameters<Shell['join']>): Promise<Pty> {
    const command = {
      file: 'sh',
      args: ['-c', 'cd; exec bash --noprofile --rcfile "$RC" -i'],
      env: { HOME: this.home, RC: BASHRC, INPUTRC: '/dev/null', HISTFILE: '', LANG: 'C.UTF-8' },
    };
    this.#pty = new Pty(this.#id, command, size, listener);
    return this.#pty;
  }

  async end(): Promise<void> {
    this.#pty?.[Symbol.dispose]();
    rmSync(this.home, { recursive: true, force: true });
  }
  async tidy(): Promise<void> {}
  async state() {
    return { kind: 'gone' } as const;
  }
}

/** A learner's host, whose shells are this machine's. */
export class LocalHost implements AsyncDisposable {
  readonly opened: LocalTerminal[] = [];

  readonly terminals = (): readonly Terminal[] => this.opened.map(({ terminal }) => terminal);
  readonly openTerminal = async (): Promise<Terminal> => (await this.open()).terminal;

  /** @param attention of the page that shows it */
  async open(attention: 'active' | 'hidden' = 'hidden'): Promise<LocalTerminal> {
    const title = `server01 (${this.opened.length + 1})`;
    const shell = new LocalBash(title);
    const terminal = await Terminal.on(
      { id: title, host: 'server01', title },
      shell,
      { cols: 80, rows: 24 },
      { background },
    );
    const opened = new LocalTerminal(terminal, shell.home, attention);
    this.opened.push(opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.opened.map(({ terminal }) => terminal.close()));
  }
}

/** One terminal, and the page that types into it. */
export class LocalTerminal {
  readonly terminal: Terminal;
  readonly home: string;
  readonly #type: (keys: string) => void;

  constructor(terminal: Terminal, home: string, attention: 'active' | 'hidden') {
    this.terminal = terminal;
    this.home = home;
    const { viewer } = terminal.attach(
      { client: 1n, attention, epoch: 0n, offset: 0 },
      { wake() {}, sized() {}, closed() {}, drained() {} },
    );
    this.#type = (keys) => terminal.input(viewer, terminal.taken(1n), Buffer.from(keys));
  }

  get screen(): string {
    return Buffer.from(this.terminal.outputSince(0)).toString();
  }

  /** Types at the prompt, and settles once `shown` is on the screen after that. */
  async type(keys: string, shown?: string | RegExp): Promise<void> {
    await this.until('clear');
    const { length } = this.screen;
    this.#type(keys);
    if (shown === undefined) return;
    await expect.poll(() => this.screen.slice(length)).toMatch(shown);
  }

  async until(prompt: Terminal['prompt']): Promise<void> {
    await expect.poll(() => this.terminal.prompt).toBe(prompt);
  }
}
