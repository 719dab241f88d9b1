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
export class FakeShell implements Shell, ShellTransport {
  readonly typed: string[] = [];
  readonly sizes: string[] = [];
  paused = false;
  ended = false;
  /** What is answered to the question whether it lives. */
  told: ShellState = { kind: 'alive' };
  joined = 0;
  queued = 0;
  #listener: ShellTransportListener | undefined;

  async join(size: Size, listener: ShellTransportListener): Promise<ShellTransport> {
    this.joined += 1;
    this.sizes.push(`${size.cols}x${size.rows}`);
    this.#listener = listener;
    return this;
  }

  print(text: string | Buffer): void {
    this.#listener?.piece({ kind: 'bytes', bytes: Buffer.from(text) });
  }

  note(note: 'end' | 'left', status?: number): void {
    this.#listener?.piece({ kind: 'note', note, status });
  }

  async end(): Promise<void> {
    this.ended = true;
  }
  async tidy(): Promise<void> {}
  async state(): Promise<ShellState> {
    return this.told;
  }
  write(bytes: Uint8Array): void {
    this.typed.push(Buffer.from(bytes).toString());
  }
  resize({ cols, rows }: Size): void {
    this.sizes.push(`${cols}x${rows}`);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  [Symbol.dispose](): void {}
}
