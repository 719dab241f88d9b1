import { Pty } from '../../server/terminal/pty.ts';
import type { Size } from '../../server/terminal/shell-host.ts';
import type {
  Shell,
  ShellState,
  ShellTransport,
  ShellTransportListener,
} from '../../server/terminal/shell-transport.ts';

/** A bare shell on this machine: what is measured with it is the terminal alone, without a way into a host. */
export class LocalShell implements Shell {
  readonly #id: string;
  #pty: Pty | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  async join(size: Size, listener: ShellTransportListener): Promise<ShellTransport> {
    const command = { file: 'bash', args: ['--norc', '--noprofile'], env: {} };
    this.#pty = new Pty(this.#id, command, size, listener);
    return this.#pty;
  }

  async end(): Promise<void> {
    this.#pty?.[Symbol.dispose]();
  }

  async tidy(): Promise<void> {}

  async state(): Promise<ShellState> {
    return { kind: 'gone' };
  }
}
