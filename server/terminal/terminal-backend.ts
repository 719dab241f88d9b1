import type { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import { HostShell } from './host-shell.ts';
import type { ShellHost } from './shell-host.ts';
import { Terminal, type TerminalIdentity } from './terminal.ts';

/** The size of a terminal until a page says what it has room for. */
const FIRST_SIZE = { cols: 80, rows: 24 } as const;

/** What tells a host's terminal from its others. */
type TerminalName = Omit<TerminalIdentity, 'host'>;

/** Makes terminals on hosts. A session is given one; a test may give it another. */
export interface TerminalBackend {
  /**
   * Starts a shell on a host and gives the terminal that shows it.
   *
   * @param greeting stands above what the shell prints. The host was restarted then, and has had a shell of that id
   * @throws QuaysideError SANDBOX_FAILED when the host cannot start one; the signal's reason
   */
  open(
    host: ShellHost,
    name: TerminalName,
    signal: AbortSignal,
    greeting?: string,
  ): Promise<Terminal>;
  /**
   * The terminal of a shell that an earlier server started on this host with the same id; `undefined` where that shell
   * has ended for sure.
   *
   * @throws where that cannot be found out now, or the shell lives and cannot be joined now; the signal's reason
   */
  adopt(host: ShellHost, name: TerminalName, signal: AbortSignal): Promise<Terminal | undefined>;
}

/** Terminals whose shells run in the hosts, under dtach. */
export class HostTerminalBackend implements TerminalBackend {
  readonly #background: Background;

  constructor({ background }: { readonly background: Background }) {
    this.#background = background;
  }

  async open(
    host: ShellHost,
    name: TerminalName,
    signal: AbortSignal,
    greeting?: string,
  ): Promise<Terminal> {
    const shell = new HostShell(host, name.id);
    try {
      // The directory of its socket has outlived the host.
      if (greeting !== undefined) await shell.end(signal);
      await shell.start(signal);
      return await this.#terminal(host, name, shell, signal, greeting);
    } catch (error) {
      // An aborted signal does not end this. Its host may be removed meanwhile then, so that a failure is expected.
      this.#background.run('end a shell that could not be opened', () => shell.end(), signal);
      throw error;
    }
  }

  async adopt(
    host: ShellHost,
    name: TerminalName,
    signal: AbortSignal,
  ): Promise<Terminal | undefined> {
    const shell = new HostShell(host, name.id);
    const state = await shell.state(signal);
    switch (state.kind) {
      case 'gone':
        return undefined;
      case 'unknown':
        throw new QuaysideError(
          'SANDBOX_FAILED',
          `Whether the shell of ${name.title} on ${host.name} still runs cannot be found out now.`,
          'Try again in a moment.',
          { cause: state.cause },
        );
      case 'alive':
        return await this.#terminal(host, name, shell, signal);
    }
  }

  #terminal(
    host: ShellHost,
    name: TerminalName,
    shell: HostShell,
    signal: AbortSignal,
    greeting = '',
  ): Promise<Terminal> {
    const options = { background: this.#background, signal, greeting };
    return Terminal.on({ ...name, host: host.name }, shell, FIRST_SIZE, options);
  }
}
