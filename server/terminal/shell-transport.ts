import type { StreamItem } from './control-scanner.ts';
import type { Size } from './shell-host.ts';

/** Carries a shell's input and output. Disposing it lets go of the shell, which lives on. */
export interface ShellTransport extends Disposable {
  write(input: Uint8Array): void;
  /** Input that the shell has not taken yet, in bytes. */
  readonly queued: number;
  /** Of several sizes that the shell has not taken yet, only the last counts. */
  resize(size: Size): void;
  /** Reads no more: the kernel's buffers fill, and the program waits. */
  pause(): void;
  resume(): void;
}

/** Called with what comes over a transport. */
export interface ShellTransportListener {
  /** Output and control notes, in order; bytes hold only during the call. Nothing follows the `left` note. */
  item(item: StreamItem): void;
  /** All queued input has gone: the shell reads again. */
  drained(): void;
}

/** A transport whose listener changes once it is made: the one that makes it listens first. */
export interface RedirectableTransport extends ShellTransport {
  /** From now on this listener is called. */
  redirect(listener: ShellTransportListener): void;
}

/**
 * What is known of a shell. `gone`: it has ended for sure. `unknown`: it cannot be found out now (the host is paused, or
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
  /** After the shell has ended by itself: removes what stood around it. What was started to outlive it does. */
  tidy(signal?: AbortSignal): Promise<void>;
  /** @throws the signal's reason */
  state(signal?: AbortSignal): Promise<ShellState>;
}
