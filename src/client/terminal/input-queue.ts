import { INPUT_WINDOW, MAX_CLIENT_FRAME } from '#protocol';

/** The head of an input frame, with room to spare. */
const FRAME_HEAD = 16;
const LARGEST_PIECE = MAX_CLIENT_FRAME - FRAME_HEAD;

/**
 * What was typed and is not known to have arrived. Every byte has an offset, so that after a cut the server takes each
 * exactly once; across a restart of the server, what was under way is given up rather than typed twice.
 */
export class InputQueue {
  #bytes = new Uint8Array();
  /** The offset of the first byte that is kept. */
  #start = 0;
  /** Everything below was given to the present socket. */
  #handed = 0;

  /** What waits or is under way, in bytes. */
  get length(): number {
    return this.#bytes.byteLength;
  }

  add(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.byteLength + bytes.byteLength);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.byteLength);
    this.#bytes = all;
  }

  /** The server has everything below `taken`. */
  taken(taken: number): void {
    const arrived = Math.min(taken, this.#handed) - this.#start;
    if (arrived <= 0) return;
    this.#bytes = this.#bytes.subarray(arrived);
    this.#start += arrived;
  }

  /** A new socket to the same server, which has everything below `taken`: the rest is sent (again). */
  resume(taken: number): void {
    this.taken(taken);
    this.#handed = this.#start;
  }

  /** The link was down for so long that what waits is not to be sent any more. @returns how much is given up */
  forget(taken: number): number {
    this.taken(taken);
    const given = this.#bytes.byteLength;
    this.#bytes = new Uint8Array();
    this.#handed = this.#start;
    return given;
  }

  /** A server that knows nothing of the old one's input: what was under way may have arrived, and is given up. */
  restart(taken: number): void {
    this.#bytes = this.#bytes.subarray(this.#handed - this.#start);
    this.#start = taken;
    this.#handed = taken;
  }

  /** The next piece to send, as far as the window allows. */
  next(): { readonly offset: number; readonly bytes: Uint8Array } | undefined {
    const from = this.#handed - this.#start;
    const upTo = Math.min(this.#bytes.byteLength, INPUT_WINDOW, from + LARGEST_PIECE);
    if (upTo <= from) return undefined;
    const offset = this.#handed;
    this.#handed += upTo - from;
    return { offset, bytes: this.#bytes.subarray(from, upTo) };
  }
}
