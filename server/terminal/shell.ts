import type { Pty, PtyListener } from './pty.ts';
import type { Size } from './shell-host.ts';

/** The one way into a shell and out of it. A terminal knows no more of where its shell lives. */
export interface Shell {
  /** A pty that carries the shell's bytes. One at a time. */
  join(size: Size, listener: PtyListener): Promise<Pty>;
  /** Ends the shell and everything in its session; settles when nothing of it is left. Gone already is success. */
  end(): Promise<void>;
  /** After the shell has ended by itself: takes away what stood around it. What was told to outlive it may. */
  tidy(): Promise<void>;
  /** Whether it still runs. */
  alive(): Promise<boolean>;
}
