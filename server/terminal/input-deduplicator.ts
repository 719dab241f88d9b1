import { FrameError } from '#protocol';

/** Clients that are remembered. One that comes back after so many others has no input under way any more. */
const MOST_CLIENTS = 64;

/** How many input bytes have come from each client, so that what a page sends again after a cut is taken only once. */
export class InputDeduplicator {
  readonly #taken = new Map<bigint, number>();

  taken(client: bigint): number {
    return this.#taken.get(client) ?? 0;
  }

  /** The part of `bytes` that is new. @throws FrameError when bytes are missing before it */
  accept(client: bigint, offset: number, bytes: Uint8Array): Uint8Array {
    const taken = this.taken(client);
    if (offset > taken) throw new FrameError('input with a gap');
    const fresh = bytes.subarray(taken - offset);
    // Deleted and set, so that the map's order is that of use.
    this.#taken.delete(client);
    this.#taken.set(client, taken + fresh.byteLength);
    if (this.#taken.size > MOST_CLIENTS) {
      for (const oldest of this.#taken.keys()) {
        this.#taken.delete(oldest);
        break;
      }
    }
    return fresh;
  }
}
