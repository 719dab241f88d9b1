import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { TerminalView } from '#protocol';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Host } from '../sandbox/host.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { StoredSession, TerminalRow } from '../store/stored-session.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';

/** Several per host is the aim; more than this is a loop, and each costs a shell in the host. */
export const TERMINALS_MOST = 16;
/** A shell of which could not be told whether it lives is asked about again after this time. */
const ADOPT_AGAIN_MS = 2_000;

/** The main screen; no reports of the mouse or the focus, no brackets around a paste; then all that a soft reset puts back. */
const MODES_OFF = '\u001b[?1049l\u001b[?1000;1002;1003;1004;1006;2004l\u001b[!p';

export interface TerminalsOptions {
  readonly stored: StoredSession;
  readonly backend: TerminalBackend;
  readonly background: Background;
  /** The list changed. */
  readonly onChange: (terminals: readonly TerminalView[]) => void;
  /** Somebody types on a host. @returns when a line may be entered, where that is not now */
  readonly onKeys: (host: string) => Promise<void> | undefined;
  /** A command line finished (shell integration). */
  readonly onCommand: (
    terminal: Terminal,
    finished: { readonly line: string; readonly status: number },
  ) => void;
}

/** One tab, from the moment its terminal is asked for. */
type Tab =
  | { readonly state: 'opening'; readonly row: TerminalRow }
  /** Its shell was there before this server started, or its host was restarted: pages show it already. */
  | { readonly state: 'kept'; readonly row: TerminalRow }
  | { readonly state: 'open'; readonly row: TerminalRow; readonly terminal: Terminal };

/** The terminals of one session. Their rows are kept, so that a server that comes back finds their shells. */
export class Terminals {
  readonly #options: TerminalsOptions;
  /** In the order of the tabs. */
  readonly #tabs = new Map<string, Tab>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  get views(): readonly TerminalView[] {
    return [...this.#tabs.values()].flatMap((tab) => (tab.state === 'opening' ? [] : [tab.row]));
  }

  /** @throws QuaysideError TERMINAL_UNKNOWN, or SESSION_NOT_READY for one that is being taken up again */
  get(id: string): Terminal {
    const tab = this.#tabs.get(id);
    if (tab?.state === 'open') return tab.terminal;
    if (tab?.state === 'kept') {
      throw new QuaysideError(
        'SESSION_NOT_READY',
        'This terminal is being taken up again.',
        'Wait a moment and try again.',
      );
    }
    throw new QuaysideError(
      'TERMINAL_UNKNOWN',
      'That terminal is closed.',
      'Open a new one on the host you want.',
    );
  }

  /** Those of a host that run, in the order of their tabs. */
  of(host: string): readonly Terminal[] {
    return this.#open.filter((terminal) => terminal.host === host);
  }

  /** A new shell on a host. @throws QuaysideError TERMINAL_LIMIT, or why the host starts none */
  async open(host: Host, signal: AbortSignal): Promise<TerminalView> {
    if (this.#tabs.size >= TERMINALS_MOST) {
      throw new QuaysideError(
        'TERMINAL_LIMIT',
        `There are ${TERMINALS_MOST} terminals open already, which is the most.`,
        'Close one that you no longer need.',
      );
    }
    const { stored, backend } = this.#options;
    const row = { id: randomBytes(6).toString('hex'), host: host.name, title: this.#title(host) };
    const opening: Tab = { state: 'opening', row };
    this.#tabs.set(row.id, opening);
    stored.addTerminal(row);
    try {
      const terminal = await backend.open(host, row, signal);
      this.#put(opening, terminal);
    } catch (error) {
      if (this.#tabs.get(row.id) === opening) this.#tabs.delete(row.id);
      stored.removeTerminal(row.id);
      throw error instanceof QuaysideError ? error : couldNotOpen(host, error);
    }
    this.#changed();
    return row;
  }

  /** Ends the shell in the host and forgets the terminal. @param signal is aborted where the host is let go of */
  async close(id: string, signal?: AbortSignal): Promise<void> {
    const terminal = this.get(id);
    this.#tabs.delete(id);
    this.#options.stored.removeTerminal(id);
    this.#changed();
    try {
      await terminal.close();
    } catch (error) {
      // The tab is gone either way. What the shell leaves on its host goes with the sandbox.
      if (!signal?.aborted) this.#options.background.fail('a shell could not be ended', error);
    }
  }

  /**
   * Shows the terminals that an earlier server has left, before their hosts are looked at: a page that comes back
   * keeps its tabs.
   */
  expect(): void {
    for (const row of this.#options.stored.terminals) {
      this.#tabs.set(row.id, { state: 'kept', row });
    }
  }

  /**
   * Takes up the shells that an earlier server left running, and forgets those that have ended; where there is none then,
   * opens one on each host. One of which it could not be told keeps its tab and is asked about again until the signal is
   * aborted.
   *
   * @param greeting where the hosts were stopped and run again: an ended shell is followed by one in its tab, which says so
   */
  async prepare(
    { hosts }: Lab,
    sandbox: Sandbox,
    signal: AbortSignal,
    greeting?: (host: Host) => string,
  ): Promise<void> {
    const kept = [...this.#tabs.values()].filter((tab) => tab.state === 'kept');
    await Promise.all(
      kept.map(async (tab) => {
        if (await this.#adopt(tab, sandbox, signal, greeting)) return;
        this.#options.background.run(
          'a terminal that is taken up late',
          async () => {
            do await sleep(ADOPT_AGAIN_MS, signal);
            while (!(await this.#adopt(tab, sandbox, signal, greeting)));
            this.#changed();
          },
          signal,
        );
      }),
    );
    this.#changed();
    if (this.views.length > 0) return;
    // Each takes its place at once, so the tabs stand in the lab's order whichever shell is there first.
    await Promise.all(hosts.map(({ name }) => this.open(sandbox.host(name), signal)));
  }

  /** A host has ended, and all shells on it: its tabs stay, and are given new ones once it runs again. */
  hostEnded(name: string): void {
    for (const [id, tab] of this.#tabs) {
      if (tab.state === 'opening' || tab.row.host !== name) continue;
      // A new tab each time: whoever still takes up or opens the shell of the last one gives that up.
      this.#tabs.set(id, { state: 'kept', row: tab.row });
      if (tab.state === 'open') tab.terminal.detach();
    }
  }

  /** A host that had ended runs again. Each of its tabs has a new shell, which says so. */
  hostStarted(host: Host, signal: AbortSignal): void {
    const { backend, background } = this.#options;
    for (const [id, was] of this.#tabs) {
      if (was.state !== 'kept' || was.row.host !== host.name) continue;
      // Anew as above: a look for the shell of before finds none while the new one is opened, and would forget the tab.
      const tab: Tab = { state: 'kept', row: was.row };
      this.#tabs.set(id, tab);
      const give = async (): Promise<boolean> => {
        if (this.#tabs.get(id) !== tab) return true;
        const opening = backend.open(host, tab.row, signal, restarted(host));
        // It may end again meanwhile.
        const terminal = await opening.catch(() => signal.throwIfAborted());
        if (terminal) this.#put(tab, terminal);
        return terminal !== undefined;
      };
      background.run(
        'a terminal on a host that was restarted',
        async () => {
          while (!(await give())) await sleep(ADOPT_AGAIN_MS, signal);
        },
        signal,
      );
    }
  }

  /** Takes terminals that were open before the session had them. */
  take(terminals: readonly Terminal[]): void {
    for (const terminal of terminals) {
      const row = { id: terminal.id, host: terminal.host, title: terminal.title };
      this.#options.stored.addTerminal(row);
      const opening: Tab = { state: 'opening', row };
      this.#tabs.set(row.id, opening);
      this.#put(opening, terminal);
    }
    this.#changed();
  }

  /** When any of them last took or gave a byte (ms since the epoch); 0 where there is none. */
  get lastActivity(): number {
    return Math.max(0, ...this.#open.map(({ lastActivity }) => lastActivity));
  }

  /** Whether a command runs in the foreground of one. */
  get isBusy(): boolean {
    return this.#open.some(({ prompt }) => prompt === 'running');
  }

  /** Lets go of every terminal; the shells live on in their hosts. */
  detach(): void {
    for (const terminal of this.#open) terminal.detach();
    this.#tabs.clear();
  }

  get #open(): readonly Terminal[] {
    return [...this.#tabs.values()].flatMap((tab) => (tab.state === 'open' ? tab.terminal : []));
  }

  /** @returns whether it is known what became of the shell, or no longer matters */
  async #adopt(
    tab: Tab,
    sandbox: Sandbox,
    signal: AbortSignal,
    greeting?: (host: Host) => string,
  ): Promise<boolean> {
    const { backend, background, stored } = this.#options;
    const { row } = tab;
    if (this.#tabs.get(row.id) !== tab) return true;
    try {
      const host = sandbox.host(row.host);
      const alive = await backend.adopt(host, row, signal);
      const says = greeting && `${MODES_OFF}\r\n${greeting(host)}\r\n`;
      const terminal = alive ?? (says && (await backend.open(host, row, signal, says)));
      if (terminal) this.#put(tab, terminal);
      else if (this.#tabs.get(row.id) === tab) {
        this.#tabs.delete(row.id);
        stored.removeTerminal(row.id);
      }
      return true;
    } catch (error) {
      signal.throwIfAborted();
      background.fail('a terminal could not be taken up yet', error);
      return false;
    }
  }

  /** Fills a tab with its terminal, unless the tab was let go of meanwhile (a reset, the end). */
  #put(tab: Tab, terminal: Terminal): void {
    const { row } = tab;
    if (this.#tabs.get(row.id) !== tab) {
      terminal.detach();
      return;
    }
    this.#tabs.set(row.id, { state: 'open', row, terminal });
    terminal.onKeys = () => this.#options.onKeys(row.host);
    terminal.onCommand((finished) => this.#options.onCommand(terminal, finished));
  }

  #changed(): void {
    this.#options.onChange(this.views);
  }

  /** "server01", then "server01 (2)": the lowest number that is free. */
  #title(host: Host): string {
    const taken = new Set([...this.#tabs.values()].map(({ row }) => row.title));
    for (let number = 1; ; number++) {
      const title = number === 1 ? host.name : `${host.name} (${number})`;
      if (!taken.has(title)) return title;
    }
  }
}

/** Above the first prompt: the screen and the modes of a program that is gone are given up. */
function restarted({ name }: Host): string {
  const says = `${name} was restarted: what ran on it has ended, its files are as they were.`;
  return `${MODES_OFF}\r\n${says}\r\n`;
}

function couldNotOpen({ name }: Host, cause: unknown): QuaysideError {
  return new QuaysideError(
    'SANDBOX_FAILED',
    `No terminal could be opened on ${name}: ${messageOf(cause)}`,
    'Try again. If it happens again, Reset gives fresh hosts.',
    { cause },
  );
}
