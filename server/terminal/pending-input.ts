import { Buffer } from 'node:buffer';

/** Input comes byte by byte; what waits is kept in blocks of this size, so that a byte costs a byte. */
const BLOCK_BYTES = 8 * 1024;

/** Input that waits for its shell, in order. */
export class PendingInput {
  #blocks: Buffer[] = [];
  /** Where the first block begins: what was before has been taken. */
  #from = 0;
  /** Where the last block ends. */
  #to = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies the bytes. */
  push(input: Uint8Array): void {
    for (let at = 0; at < input.byteLength; ) {
      let last = this.#blocks.at(-1);
      if (last === undefined || this.#to === last.byteLength) {
        last = Buffer.allocUnsafeSlow(BLOCK_BYTES);
        this.#blocks.push(last);
        this.#to = 0;
      }
      const part = input.subarray(at, at + last.byteLength - this.#to);
      last.set(part, this.#to);
      this.#to += part.byteLength;
      at += part.byteLength;
    }
    this.#length += input.byteLength;
  }

  /** The oldest bytes, as many as lie together; a view that holds until they are dropped. Empty where nothing waits. */
  first(): Uint8Array {
    const [first] = this.#blocks;
    if (!first) return new Uint8Array();
    return first.subarray(this.#from, this.#blocks.length === 1 ? this.#to : undefined);
  }

  /** Takes the oldest bytes out: no more than {@link first} gave. */
  drop(length: number): void {
    this.#from += length;
    this.#length -= length;
    if (this.#length === 0) this.clear();
    else if (this.#from === BLOCK_BYTES) {
      this.#blocks.shift();
      this.#from = 0;
    }
  }

  clear(): void {
    this.#blocks = [];
    this.#from = 0;
    this.#length = 0;
  }
}
