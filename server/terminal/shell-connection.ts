import type { Buffer } from 'node:buffer';
import type { Background } from '../base/background.ts';
import type { StreamItem } from './control-scanner.ts';
import type { Size } from './shell-host.ts';
import type { Shell, ShellTransport } from './shell-transport.ts';

/** When the way to a living shell breaks, try again after so many ms. */
const REJOIN_AFTER_MS = [0, 200, 1000, 3000] as const;

/** What comes in by it. */
export interface ShellConnectionListener {
  /** Output; the bytes hold only during the call. */
  bytes(bytes: Buffer): void;
  /** The shell has ended; all it printed has come. `undefined`: how is not known. */
  ended(status: number | undefined): void;
  /** The shell takes input again. */
  drained(): void;
}

type State =
  /** Input waits until there is somebody to take it. */
  | { readonly kind: 'joining'; readonly typed: Uint8Array[] }
  | { readonly kind: 'open'; readonly carrier: ShellTransport }
  | { readonly kind: 'closed' };

/** The way into a shell. One that breaks while the shell lives is mended, and nobody hears of it. */
export class ShellConnection {
  readonly #shell: Shell;
  readonly #listener: ShellConnectionListener;
  readonly #background: Background;
  #state: State = { kind: 'joining', typed: [] };
  #size: Size;
  #mayRun = true;
  #rejoining: NodeJS.Timeout | undefined;

  constructor(shell: Shell, size: Size, listener: ShellConnectionListener, background: Background) {
    this.#background = background;
    this.#shell = shell;
    this.#size = size;
    this.#listener = listener;
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /** Input that the shell has not taken yet, in bytes. */
  get queued(): number {
    if (this.#state.kind === 'open') return this.#state.carrier.queued;
    if (this.#state.kind === 'closed') return 0;
    return this.#state.typed.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Joins the shell; output comes from then on. @throws what the shell says when it can't be joined */
  async open(signal?: AbortSignal): Promise<void> {
    const listener = {
      piece: (piece: StreamItem) => this.#take(piece),
      drained: () => this.#listener.drained(),
    };
    const carrier = await this.#shell.join(this.#size, listener, signal);
    if (this.#state.kind !== 'joining') {
      carrier[Symbol.dispose]();
      return;
    }
    const { typed } = this.#state;
    this.#state = { kind: 'open', carrier };
    carrier.resize(this.#size);
    for (const bytes of typed) carrier.write(bytes);
    if (!this.#mayRun) carrier.pause();
    this.#listener.drained();
  }

  /** The bytes are copied where they have to wait. */
  write(bytes: Uint8Array): void {
    if (this.#state.kind === 'open') this.#state.carrier.write(bytes);
    else if (this.#state.kind === 'joining') this.#state.typed.push(bytes.slice());
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.#state.kind === 'open') this.#state.carrier.resize(size);
  }

  /** Whether the program may print on. */
  regulate(mayRun: boolean): void {
    if (mayRun === this.#mayRun) return;
    this.#mayRun = mayRun;
    if (this.#state.kind !== 'open') return;
    if (mayRun) this.#state.carrier.resume();
    else this.#state.carrier.pause();
  }

  /** Lets go of the shell. Nothing comes in any more. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    clearTimeout(this.#rejoining);
    if (state.kind === 'open') state.carrier[Symbol.dispose]();
  }

  #take(piece: StreamItem): void {
    if (this.#state.kind === 'closed') return;
    if (piece.kind === 'bytes') {
      this.#listener.bytes(piece.bytes);
      return;
    }
    switch (piece.note) {
      case 'begin':
        return;
      case 'end':
        this.#end(piece.status);
        this.#background.run('tidy up after a shell', () => this.#shell.tidy());
        return;
      case 'left':
        this.#background.run('rejoin a shell', () => this.#rejoin());
        return;
    }
  }

  /** After the shell's end there is only what dtach and the engine say about it. */
  #end(status: number | undefined): void {
    this.close();
    this.#listener.ended(status);
  }

  /** The way to the shell is gone, but perhaps not the shell. */
  async #rejoin(): Promise<void> {
    this.#state = { kind: 'joining', typed: [] };
    for (const ms of REJOIN_AFTER_MS) {
      await new Promise<void>((resolve) => {
        this.#rejoining = setTimeout(resolve, ms);
      });
      if (this.#state.kind !== 'joining') return;
      try {
        if ((await this.#shell.state()).kind === 'gone') break;
        await this.open();
        return;
      } catch {
        // Tried again below; the last time, the shell has ended as far as anybody can tell.
      }
    }
    if (this.#state.kind === 'joining') this.#end(undefined);
  }
}
