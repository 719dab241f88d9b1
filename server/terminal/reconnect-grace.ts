import { RING_BYTES } from './output.ts';
import type { Viewer } from './viewer.ts';

/** How long (ms) a page whose link broke is expected back: it tries at once, and five more times within this. */
export const RECONNECT_GRACE_MS = 8_000;
/** What it lacks may be all of the ring but for this: so much can be under way when the program is paused. */
const SLACK_BYTES = 128 * 1024;
/** As many as a terminal has room for; the one that left first is given up. */
const MOST_EXPECTED = 16;

/**
 * Pages whose link broke a moment ago. The program runs on into the ring meanwhile; but before the ring drops what such
 * a page lacks, the program waits until the page is back or has had its time, so that a short cut leaves no gap,
 * however fast the program prints.
 */
export class ReconnectGrace {
  readonly #changed: () => void;
  readonly #pages = new Map<bigint, { readonly has: number; readonly timer: NodeJS.Timeout }>();

  /** @param changed called when one has had its time */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  add({ client, acked, counts }: Viewer): void {
    if (!counts) return;
    this.arrived(client);
    const [first] = this.#pages.keys();
    if (first !== undefined && this.#pages.size >= MOST_EXPECTED) this.arrived(first);
    const timer = setTimeout(() => {
      this.#pages.delete(client);
      this.#changed();
    }, RECONNECT_GRACE_MS);
    this.#pages.set(client, { has: acked, timer });
  }

  arrived(client: bigint): void {
    clearTimeout(this.#pages.get(client)?.timer);
    this.#pages.delete(client);
  }

  mayRun(head: number): boolean {
    for (const { has } of this.#pages.values()) {
      if (head - has > RING_BYTES - SLACK_BYTES) return false;
    }
    return true;
  }

  stop(): void {
    for (const client of [...this.#pages.keys()]) this.arrived(client);
  }
}
