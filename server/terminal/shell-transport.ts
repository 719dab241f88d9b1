import type { StreamItem } from './control-scanner.ts';
import type { Size } from './shell-host.ts';

/** What carries a shell's bytes. Disposing it lets go of the shell, which lives on. */
export interface ShellTransport extends Disposable {
  write(bytes: Uint8Array): void;
  /** Written bytes that the shell has not taken yet. */
  readonly queued: number;
  resize(size: Size): void;
  /** Reads no more: the kernel's buffers fill, and the program waits. */
  pause(): void;
  resume(): void;
}

/** What a carrier tells its owner. */
export interface ShellTransportListener {
  /** Output and notes, in order; bytes hold only during the call. Nothing follows the `left` note. */
  piece(piece: StreamItem): void;
  /** What was queued has gone: the shell reads again. */
  drained(): void;
}

/**
 * What is known of a shell. `gone`: it has ended for sure. `unknown`: it could not be told now (the host is paused, or
 * its engine does not answer), so it may live.
 */
export type ShellState =
  | { readonly kind: 'alive' | 'gone' }
  | { readonly kind: 'unknown'; readonly cause: unknown };

/** A shell that runs somewhere. A terminal knows no more of where. */
export interface Shell {
  /**
   * Settles once bytes flow. One transport at a time.
   *
   * @throws when it cannot be joined now; the signal's reason
   */
  join(size: Size, listener: ShellTransportListener, signal?: AbortSignal): Promise<ShellTransport>;
  /** Ends the shell and everything in its session; settles when nothing of it is left. Gone already is success. */
  end(signal?: AbortSignal): Promise<void>;
  /** After the shell has ended by itself: takes away what stood around it. What was told to outlive it may. */
  tidy(signal?: AbortSignal): Promise<void>;
  /** @throws the signal's reason */
  state(signal?: AbortSignal): Promise<ShellState>;
}
