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

/** The one way into a shell and out of it. A terminal knows no more of where its shell lives. */
export interface Shell {
  /** Settles once bytes flow. One carrier at a time. */
  join(size: Size, listener: ShellTransportListener): Promise<ShellTransport>;
  /** Ends the shell and everything in its session; settles when nothing of it is left. Gone already is success. */
  end(): Promise<void>;
  /** After the shell has ended by itself: takes away what stood around it. What was told to outlive it may. */
  tidy(): Promise<void>;
  /** Whether it still runs. */
  alive(): Promise<boolean>;
}
