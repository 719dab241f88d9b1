import { Buffer } from 'node:buffer';
import { Modes } from './modes.ts';

/** More than the scrollback that a page keeps; a hundred terminals cost 200 MiB. */
export const RING_BYTES = 2 * 1024 * 1024;
/** What a ring starts with; an idle terminal never needs more. */
const FIRST_BYTES = 16 * 1024;
/** Of a ring that has lost its beginning, a replay starts at the first line that begins within so many bytes. */
const LINE_START_WITHIN = 16 * 1024;

/**
 * What a shell has printed: the last bytes in a ring, each at its running offset since the shell's first, and what the
 * lost ones still mean. Bounded; grows to its bound only when so much was printed.
 */
export class Output {
  readonly #limit: number;
  readonly #modes = new Modes();
  #ring: Buffer;
  #head = 0;

  /** @param limit the most that is kept, in bytes */
  constructor(limit = RING_BYTES) {
    this.#limit = limit;
    this.#ring = Buffer.allocUnsafeSlow(Math.min(FIRST_BYTES, limit));
  }

  /** The offset of the oldest byte that is kept. */
  get start(): number {
    return Math.max(0, this.#head - this.#limit);
  }

  /** The offset that the next byte will have. */
  get head(): number {
    return this.#head;
  }

  append(bytes: Buffer): void {
    this.#makeRoomFor(bytes.byteLength);
    const kept = bytes.byteLength > this.#limit ? bytes.subarray(-this.#limit) : bytes;
    const newStart = Math.max(0, this.#head + bytes.byteLength - this.#limit);
    for (let at = this.start; at < Math.min(newStart, this.#head); ) {
      const lost = this.read(at, Math.min(newStart, this.#head) - at);
      this.#modes.feed(lost);
      at += lost.byteLength;
    }
    if (kept !== bytes) this.#modes.feed(bytes.subarray(0, bytes.byteLength - kept.byteLength));
    const at = (this.#head + bytes.byteLength - kept.byteLength) % this.#ring.byteLength;
    const first = Math.min(kept.byteLength, this.#ring.byteLength - at);
    this.#ring.set(kept.subarray(0, first), at);
    this.#ring.set(kept.subarray(first), 0);
    this.#head += bytes.byteLength;
  }

  /**
   * Up to `max` bytes from `offset` on; fewer where the ring wraps round, none at the head. A view that holds until
   * the next {@link append}.
   */
  read(offset: number, max: number): Buffer {
    if (offset < this.start || offset > this.#head) throw new RangeError('offset not in the ring');
    const at = offset % this.#ring.byteLength;
    const length = Math.min(max, this.#head - offset, this.#ring.byteLength - at);
    return this.#ring.subarray(at, at + length);
  }

  /** A copy of what came from an offset on, as far as it is still kept. */
  since(offset: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let at = Math.max(offset, this.start); at < this.#head; ) {
      const part = this.read(at, this.#head - at);
      parts.push(part);
      at += part.byteLength;
    }
    return Buffer.concat(parts);
  }

  /** Where a page that has nothing begins, and the bytes that put it into the modes of there. */
  replayStart(): { readonly offset: number; readonly preamble: Uint8Array } {
    const { start } = this;
    if (start === 0) return { offset: 0, preamble: new Uint8Array() };
    // Not in the middle of a sequence or of a character, if it can be helped.
    const first = this.read(start, LINE_START_WITHIN);
    const skip = first.indexOf(0x0a) + 1;
    const modes = new Modes(this.#modes);
    modes.feed(first.subarray(0, skip));
    return { offset: start + skip, preamble: modes.preamble() };
  }

  #makeRoomFor(length: number): void {
    const wanted = Math.min(this.#limit, this.#head + length);
    if (wanted <= this.#ring.byteLength) return;
    let size = this.#ring.byteLength;
    while (size < wanted) size = Math.min(this.#limit, size * 2);
    const larger = Buffer.allocUnsafeSlow(size);
    // Below its bound the ring has never wrapped, so offsets and positions are the same.
    larger.set(this.#ring.subarray(0, this.#head));
    this.#ring = larger;
  }
}
