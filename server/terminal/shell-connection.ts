import type { Buffer } from 'node:buffer';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import type { StreamItem } from './control-scanner.ts';
import { PendingInput } from './pending-input.ts';
import type { Size } from './shell-host.ts';
import type { Shell, ShellTransport } from './shell-transport.ts';

/** When the transport to a living shell breaks, it is joined again after so many ms, */
const REJOIN_AFTER_MS = [0, 200, 1000, 3000] as const;
/** … and from then on after so many. */
const REJOIN_LATER_MS = 10_000;
/**
 * A transport that has held for so long (ms) is joined again at once when it breaks. A program can print the note that
 * it has broken; again and again, that must not keep the engine busy.
 */
const STEADY_MS = 10_000;

/** Called with what comes from a shell. */
export interface ShellConnectionListener {
  /** The bytes hold only during the call. */
  output(bytes: Buffer): void;
  /** The shell has ended; all its output has come. `undefined`: how it ended is not known. */
  ended(status: number | undefined): void;
  /** The shell takes input again. */
  drained(): void;
}

/** One try to join. What still comes from the transport of an earlier one is ignored. */
interface Attempt {
  /** The transport broke before it was handed over. */
  broken: boolean;
}

type State =
  /** Input waits for a transport. */
  | { readonly kind: 'joining' }
  | { readonly kind: 'open'; readonly transport: ShellTransport; readonly since: number }
  | { readonly kind: 'closed' };

/** The connection to a shell. While the shell lives, a transport that breaks is replaced, and its listener learns nothing of it. */
export class ShellConnection {
  readonly #shell: Shell;
  readonly #listener: ShellConnectionListener;
  readonly #background: Background;
  readonly #waiting = new PendingInput();
  readonly #closed = new AbortController();
  #state: State = { kind: 'joining' };
  #attempt: Attempt | undefined;
  /** Tries to join since the last transport that held. */
  #tries = 0;
  #size: Size;
  #mayRun = true;

  constructor(shell: Shell, size: Size, listener: ShellConnectionListener, background: Background) {
    this.#shell = shell;
    this.#size = size;
    this.#listener = listener;
    this.#background = background;
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /** Input that the shell has not taken yet, in bytes. */
  get queued(): number {
    return this.#state.kind === 'open' ? this.#state.transport.queued : this.#waiting.length;
  }

  /** Joins the shell; output comes from then on. @throws what the shell says when it cannot be joined */
  async open(signal?: AbortSignal): Promise<void> {
    if (!(await this.#join(signal)) && this.#state.kind === 'joining') this.#rejoinSoon();
  }

  /** The bytes are copied where they have to wait. */
  write(input: Uint8Array): void {
    if (this.#state.kind === 'open') this.#state.transport.write(input);
    else if (this.#state.kind === 'joining') this.#waiting.push(input);
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.#state.kind === 'open') this.#state.transport.resize(size);
  }

  /** Whether the program may print on. */
  regulate(mayRun: boolean): void {
    if (mayRun === this.#mayRun) return;
    this.#mayRun = mayRun;
    if (this.#state.kind !== 'open') return;
    if (mayRun) this.#state.transport.resume();
    else this.#state.transport.pause();
  }

  /** Lets go of the shell. The listener is not called any more. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    this.#attempt = undefined;
    this.#waiting.clear();
    this.#closed.abort();
    if (state.kind === 'open') state.transport[Symbol.dispose]();
  }

  /** @returns whether there is a transport now; if not, it broke as it was made, or the shell has ended meanwhile */
  async #join(signal: AbortSignal | undefined): Promise<boolean> {
    const attempt: Attempt = { broken: false };
    this.#attempt = attempt;
    const background = this.#background;
    const listener = {
      item: background.guard('take in a shell’s output', (item: StreamItem) => {
        if (this.#attempt === attempt) this.#take(item, attempt);
      }),
      drained: background.guard('go on with a shell’s input', () => this.#listener.drained()),
    };
    const transport = await this.#shell.join(this.#size, listener, signal);
    if (this.#attempt !== attempt || attempt.broken) {
      transport[Symbol.dispose]();
      return false;
    }
    this.#state = { kind: 'open', transport, since: performance.now() };
    transport.resize(this.#size);
    while (this.#waiting.length > 0) {
      const input = this.#waiting.first();
      transport.write(input);
      this.#waiting.drop(input.byteLength);
    }
    if (!this.#mayRun) transport.pause();
    this.#listener.drained();
    return true;
  }

  #take(item: StreamItem, attempt: Attempt): void {
    if (item.kind === 'output') {
      this.#listener.output(item.bytes);
      return;
    }
    switch (item.note) {
      case 'begin':
        return;
      case 'end':
        // After this comes only what dtach and the engine say about it.
        this.#end(item.status);
        this.#background.run('tidy up after a shell', () => this.#shell.tidy());
        return;
      case 'left':
        if (this.#state.kind === 'open') this.#hasBroken(this.#state);
        else attempt.broken = true;
        return;
    }
  }

  #end(status: number | undefined): void {
    this.close();
    this.#listener.ended(status);
  }

  /** The transport is gone, but perhaps not the shell. */
  #hasBroken({ transport, since }: Extract<State, { kind: 'open' }>): void {
    this.#state = { kind: 'joining' };
    this.#attempt = undefined;
    transport[Symbol.dispose]();
    if (performance.now() - since >= STEADY_MS) this.#tries = 0;
    this.#rejoinSoon();
  }

  #rejoinSoon(): void {
    const { signal } = this.#closed;
    this.#background.run('rejoin a shell', () => this.#rejoin(signal), signal);
  }

  /** Tries until there is a transport, the shell has ended for sure, or the connection is closed. */
  async #rejoin(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(REJOIN_AFTER_MS[this.#tries] ?? REJOIN_LATER_MS, signal);
      this.#tries += 1;
      const { kind } = await this.#shell.state(signal);
      if (signal.aborted) return;
      if (kind === 'gone') return this.#end(undefined);
      if (kind === 'unknown') continue;
      try {
        if (await this.#join(signal)) return;
      } catch {
        // It lives, so it is tried again.
      }
    }
  }
}
