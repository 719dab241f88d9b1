import { randomBytes } from 'node:crypto';
import type { TerminalView } from '#protocol';
import type { FailureLog } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Host } from '../sandbox/host.ts';
import type { Store, TerminalRow } from '../store/store.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';

/** Several per host is the aim; more than this is a loop, and each costs a shell in the host. */
const TERMINALS_MOST = 16;
/** A backend has limits of its own. */
const NEVER = new AbortController().signal;

/** What a session's terminals tell it. */
export interface TerminalsOptions {
  readonly store: Store;
  readonly backend: TerminalBackend;
  readonly log: FailureLog;
  /** The session's id, which it may still change. */
  readonly session: () => string;
  /** The list changed. */
  readonly onChange: (terminals: readonly TerminalView[]) => void;
  /** A command line finished (shell marks). */
  readonly onCommand: (
    terminal: Terminal,
    finished: { readonly line: string; readonly status: number },
  ) => void;
}

/** The terminals of one session. Their rows are kept, so that a server that comes back finds their shells. */
export class Terminals {
  readonly #options: TerminalsOptions;
  /** In the order of their tabs. One that is still being opened holds its place (and its title) already. */
  readonly #places = new Map<string, Place>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  get views(): readonly TerminalView[] {
    return [...this.#places.values()].flatMap(({ row, terminal, kept }) =>
      terminal || kept ? [row] : [],
    );
  }

  /** @throws QuaysideError TERMINAL_UNKNOWN, or SESSION_NOT_READY for one that is being taken up again */
  get(id: string): Terminal {
    const place = this.#places.get(id);
    if (place?.terminal) return place.terminal;
    if (place?.kept) {
      throw new QuaysideError(
        'SESSION_NOT_READY',
        'The server has just started and is taking up this terminal again.',
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
    return [...this.#places.values()].flatMap(({ row, terminal }) =>
      terminal && row.host === host ? [terminal] : [],
    );
  }

  /** A new shell on a host. @throws QuaysideError TERMINAL_LIMIT */
  async open(host: Host): Promise<TerminalView> {
    if (this.#places.size >= TERMINALS_MOST) {
      throw new QuaysideError(
        'TERMINAL_LIMIT',
        `There are ${TERMINALS_MOST} terminals open already, which is the most.`,
        'Close one that you no longer need.',
      );
    }
    const row = { id: randomBytes(6).toString('hex'), host: host.name, title: this.#title(host) };
    this.#options.store.addTerminal(this.#options.session(), row);
    try {
      await this.#take(row, () => this.#options.backend.open(host, row, NEVER));
    } catch (error) {
      this.#options.store.removeTerminal(row.id);
      throw error;
    }
    this.#options.onChange(this.views);
    return row;
  }

  /** Ends the shell in the host and forgets the terminal. */
  async close(id: string): Promise<void> {
    const terminal = this.get(id);
    this.#places.delete(id);
    this.#options.store.removeTerminal(id);
    this.#options.onChange(this.views);
    await terminal.close();
  }

  /**
   * Shows the terminals that an earlier server has left, before their hosts are looked at: a page that comes back
   * keeps its tabs.
   */
  expect(): void {
    const { store, session } = this.#options;
    for (const row of store.terminals(session())) this.#places.set(row.id, { row, kept: true });
  }

  /**
   * Takes up the shells that an earlier server left running; those that have ended since are dropped. One that cannot
   * be asked now keeps its row, so that a later server finds it.
   */
  async adopt(hostNamed: (name: string) => Host): Promise<void> {
    const { backend, store, log } = this.#options;
    const kept = [...this.#places.values()].filter((place) => place.kept);
    await Promise.all(
      kept.map(async ({ row }) => {
        try {
          const shell = () => backend.adopt(hostNamed(row.host), row, NEVER);
          if (!(await this.#take(row, shell, true))) store.removeTerminal(row.id);
        } catch (error) {
          log(`terminal ${row.id}`, error);
        }
      }),
    );
    this.#options.onChange(this.views);
  }

  /** Takes terminals that were open before the session had them. */
  take(terminals: readonly Terminal[]): void {
    for (const terminal of terminals) {
      const row = { id: terminal.id, host: terminal.host, title: terminal.title };
      this.#options.store.addTerminal(this.#options.session(), row);
      this.#places.set(row.id, { row, kept: false, terminal });
      terminal.onCommand((finished) => this.#options.onCommand(terminal, finished));
    }
    this.#options.onChange(this.views);
  }

  /** When any of them last took or gave a byte (ms since the epoch); 0 where there is none. */
  get lastActivity(): number {
    const terminals = [...this.#places.values()].flatMap(({ terminal }) => terminal ?? []);
    return Math.max(0, ...terminals.map(({ lastActivity }) => lastActivity));
  }

  /** Lets go of every terminal; the shells live on in their hosts. */
  detach(): void {
    for (const { terminal } of this.#places.values()) terminal?.detach();
    this.#places.clear();
  }

  /** Holds a place while the terminal comes, and gives it up if it does not. @returns whether there is a terminal */
  async #take(
    row: TerminalRow,
    opening: () => Promise<Terminal | undefined>,
    kept = false,
  ): Promise<boolean> {
    const place: Place = { row, kept };
    this.#places.set(row.id, place);
    try {
      const terminal = await opening();
      if (!terminal) this.#places.delete(row.id);
      // Let go of in the meantime (a reset, the end): then nobody else will.
      else if (this.#places.get(row.id) !== place) terminal.detach();
      else {
        place.terminal = terminal;
        terminal.onCommand((finished) => this.#options.onCommand(terminal, finished));
      }
      return terminal !== undefined;
    } catch (error) {
      this.#places.delete(row.id);
      throw error;
    }
  }

  /** "server01", then "server01 (2)": the lowest number that is free. */
  #title(host: Host): string {
    const taken = new Set([...this.#places.values()].map(({ row }) => row.title));
    for (let number = 1; ; number++) {
      const title = number === 1 ? host.name : `${host.name} (${number})`;
      if (!taken.has(title)) return title;
    }
  }
}

/** A terminal's place in the row of tabs. */
interface Place {
  readonly row: TerminalRow;
  /** It was there before this server started, so pages show it already. */
  readonly kept: boolean;
  /** Absent while it is being opened or taken up. */
  terminal?: Terminal;
}
