import { type Attention, OUTPUT_WINDOW } from '#protocol';
import type { Size } from './shell-host.ts';

/** Called with what concerns a viewer. It takes the output itself, when it has room: `Terminal.take`. */
export interface ViewerListener {
  /** There is output to take, or the terminal has ended. */
  wake(): void;
  /** The size, or which page decides it, has changed. */
  sized(size: Size, yours: boolean): void;
  /** The terminal was closed or let go; there will be no more. */
  closed(why: 'closed' | 'detached'): void;
  /** The shell takes input again. */
  drained(): void;
  /** Present for a page that only looks unless it is allowed more: called for every key. */
  mayType?(): boolean;
}

/** How a page comes (back) to a terminal. */
export interface Arrival {
  readonly client: bigint;
  readonly attention: Attention;
  /** The epoch that `offset` belongs to; 0 where the page has nothing yet. */
  readonly epoch: bigint;
  readonly offset: number;
  /** Of a page that asks for older output later: how many bytes before the end a replay is to begin. */
  readonly newest?: number;
}

/**
 * One page looking at a terminal: how far it was sent and how far it has got. Holds no bytes of its own; they are in the
 * terminal's ring.
 */
export class Viewer {
  readonly listener: ViewerListener;
  /** Tells pages apart across their sockets. */
  readonly client: bigint;
  /** A replay begins about so many bytes before the end; 0: with all that is kept. */
  readonly newest: number;
  attention: Attention;
  /** The size this page has asked for, if it has. */
  requestedSize: Size | undefined;
  /** Set while the page's socket is full. */
  blocked = false;
  /** It made no progress for so long that nothing waits for it any more. Any sign of progress ends that. */
  stalled = false;
  /** The next byte to send. */
  sent: number;
  /** Everything below is on the page's screen. */
  acked: number;
  /** It has to be cleared before the next byte: what it had has gone from the ring, or it had nothing. */
  stale: boolean;

  constructor(
    { client, attention, newest = 0 }: Pick<Arrival, 'client' | 'attention' | 'newest'>,
    offset: number,
    stale: boolean,
    listener: ViewerListener,
  ) {
    this.client = client;
    this.newest = newest;
    this.attention = attention;
    this.sent = offset;
    this.acked = offset;
    this.stale = stale;
    this.listener = listener;
  }

  /** How many more bytes it may be sent now. */
  get room(): number {
    return this.blocked ? 0 : Math.max(0, OUTPUT_WINDOW - (this.sent - this.acked));
  }

  /** Whether the program waits for it. */
  get counts(): boolean {
    return this.attention !== 'hidden' && !this.stalled;
  }
}
