import { Buffer } from 'node:buffer';

/** What a ring starts with; an idle terminal never needs more. */
const FIRST_BYTES = 16 * 1024;

/**
 * The last bytes of a stream, each at its running offset since the stream began. Bounded; grows to its bound only when
 * so much was written.
 */
export class Ring {
  readonly #limit: number;
  #bytes: Buffer;
  #head = 0;

  /** @param limit the most that is kept, in bytes */
  constructor(limit: number) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(FIRST_BYTES, limit));
  }

  /** The offset of the oldest byte that is kept. */
  get start(): number {
    return Math.max(0, this.#head - this.#limit);
  }

  /** The offset that the next byte will have. */
  get head(): number {
    return this.#head;
  }

  /** Adds bytes, and tells `evicted` about those that go, oldest first (views that hold only during the call). */
  append(bytes: Buffer, evicted?: (bytes: Buffer) => void): void {
    this.#makeRoomFor(bytes.byteLength);
    const kept = bytes.byteLength > this.#limit ? bytes.subarray(-this.#limit) : bytes;
    const newStart = Math.max(0, this.#head + bytes.byteLength - this.#limit);
    if (evicted) {
      let at = this.start;
      while (at < Math.min(newStart, this.#head)) {
        const piece = this.read(at, Math.min(newStart, this.#head) - at);
        evicted(piece);
        at += piece.byteLength;
      }
      if (kept !== bytes) evicted(bytes.subarray(0, bytes.byteLength - kept.byteLength));
    }
    const at = (this.#head + bytes.byteLength - kept.byteLength) % this.#bytes.byteLength;
    const first = Math.min(kept.byteLength, this.#bytes.byteLength - at);
    this.#bytes.set(kept.subarray(0, first), at);
    this.#bytes.set(kept.subarray(first), 0);
    this.#head += bytes.byteLength;
  }

  /**
   * Up to `max` bytes from `offset` on; fewer where the ring wraps round, none at the head. A view that holds until
   * the next {@link append}.
   */
  read(offset: number, max: number): Buffer {
    if (offset < this.start || offset > this.#head) throw new RangeError('offset not in the ring');
    const at = offset % this.#bytes.byteLength;
    const length = Math.min(max, this.#head - offset, this.#bytes.byteLength - at);
    return this.#bytes.subarray(at, at + length);
  }

  #makeRoomFor(length: number): void {
    const wanted = Math.min(this.#limit, this.#head + length);
    if (wanted <= this.#bytes.byteLength) return;
    let size = this.#bytes.byteLength;
    while (size < wanted) size = Math.min(this.#limit, size * 2);
    const larger = Buffer.allocUnsafeSlow(size);
    // Below its bound the ring has never wrapped, so offsets and positions are the same.
    larger.set(this.#bytes.subarray(0, this.#head));
    this.#bytes = larger;
  }
}
