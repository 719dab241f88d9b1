import type { Duplex } from 'node:stream';

/** A running process in a host. Disposing it ends it. */
export interface DialedProcess extends AsyncDisposable {
  /** Its stdin and stdout. */
  readonly stream: Duplex;
  /** What it has said on stderr so far. */
  stderr(): string;
  /** Its exit status, once it has ended. */
  readonly exited: Promise<number>;
}

/**
 * Starts a process in one host, and ends it when `signal` is aborted: the only way by which the browser pane reaches
 * a lab's network.
 */
export type Dial = (
  argv: readonly string[],
  options: { readonly signal: AbortSignal },
) => Promise<DialedProcess>;
