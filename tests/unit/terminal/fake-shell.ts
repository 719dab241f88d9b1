import { Background } from '../../../server/base/background.ts';
import type { Size } from '../../../server/terminal/shell-host.ts';
import type {
  Shell,
  ShellState,
  ShellTransport,
  ShellTransportListener,
} from '../../../server/terminal/shell-transport.ts';

/** For terminals whose background work is no part of the test. */
export const background = new Background(() => undefined);

/** A shell that prints what it is told to, and remembers what happened to it. */
export class FakeShell implements Shell {
  /** What it was given, in the order in which it came. */
  readonly input: string[] = [];
  readonly sizes: string[] = [];
  /** One for each time it was joined. */
  readonly transports: FakeTransport[] = [];
  ended = false;
  /** What is answered to the question whether it lives. */
  told: ShellState = { kind: 'alive' };
  /** Called as it is joined, before the transport is handed over. */
  onJoin: (transport: FakeTransport) => void = () => undefined;
  /** Called with all that is typed. */
  onInput: (text: string) => void = () => undefined;

  async join(size: Size, listener: ShellTransportListener): Promise<ShellTransport> {
    this.sizes.push(`${size.cols}x${size.rows}`);
    const transport = new FakeTransport(this, listener);
    this.transports.push(transport);
    this.onJoin(transport);
    return transport;
  }

  get paused(): boolean {
    return this.transports.at(-1)?.paused ?? false;
  }

  print(text: string | Buffer): void {
    this.transports.at(-1)?.print(text);
  }

  note(note: 'end' | 'left', status?: number): void {
    this.transports.at(-1)?.note(note, status);
  }

  async end(): Promise<void> {
    this.ended = true;
  }
  async tidy(): Promise<void> {}
  async state(): Promise<ShellState> {
    return this.told;
  }
}

export class FakeTransport implements ShellTransport {
  paused = false;
  disposed = false;
  queued = 0;
  readonly #shell: FakeShell;
  readonly #listener: ShellTransportListener;

  constructor(shell: FakeShell, listener: ShellTransportListener) {
    this.#shell = shell;
    this.#listener = listener;
  }

  print(text: string | Buffer): void {
    this.#listener.item({ kind: 'output', bytes: Buffer.from(text) });
  }

  note(note: 'end' | 'left', status?: number): void {
    this.#listener.item({ kind: 'note', note, status });
  }

  drained(): void {
    this.#listener.drained();
  }

  write(input: Uint8Array): void {
    const text = Buffer.from(input).toString();
    this.#shell.input.push(text);
    this.#shell.onInput(text);
  }
  resize({ cols, rows }: Size): void {
    this.#shell.sizes.push(`${cols}x${rows}`);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  [Symbol.dispose](): void {
    this.disposed = true;
  }
}
