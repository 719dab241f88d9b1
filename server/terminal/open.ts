import { HostShell } from './host-shell.ts';
import type { ShellHost } from './shell-host.ts';
import { Terminal } from './terminal.ts';

/** The size of a terminal until a page says what it has room for. */
const FIRST_SIZE = { cols: 80, rows: 24 } as const;

/** What a terminal is opened with. */
export interface TerminalOptions {
  /** Letters, digits, `-` and `_`, at most 64; unique on the host. */
  readonly id: string;
  readonly title: string;
  readonly cols?: number;
  readonly rows?: number;
}

/**
 * Starts a shell on a host and gives the terminal that shows it.
 *
 * @throws QuaysideError SANDBOX_FAILED when the host can't start one
 */
export async function openTerminal(host: ShellHost, options: TerminalOptions): Promise<Terminal> {
  const shell = await HostShell.start(host, options.id);
  try {
    return await on(host, shell, options);
  } catch (error) {
    await shell.end().catch(() => {
      // What went wrong first is what matters.
    });
    throw error;
  }
}

/**
 * The terminal of a shell that an earlier server started on this host with the same id.
 *
 * @throws QuaysideError TERMINAL_UNKNOWN when it has ended since
 */
export async function adoptTerminal(host: ShellHost, options: TerminalOptions): Promise<Terminal> {
  return on(host, await HostShell.find(host, options.id), options);
}

function on(host: ShellHost, shell: HostShell, options: TerminalOptions): Promise<Terminal> {
  const { id, title, cols = FIRST_SIZE.cols, rows = FIRST_SIZE.rows } = options;
  return Terminal.on({ id, host: host.name, title }, shell, { cols, rows });
}
