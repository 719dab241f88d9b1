const KIB = 1024;

/** More output came than is read. The program may be a learner's own, and write without end. */
export class OutputLimitError extends Error {
  /** How much is read, in words: "256 KiB". */
  readonly limit: string;

  constructor(bytes: number) {
    const limit = bytes < KIB ** 2 ? `${bytes / KIB} KiB` : `${bytes / KIB ** 2} MiB`;
    super(`more than ${limit} of output`);
    this.name = 'OutputLimitError';
    this.limit = limit;
  }
}

/**
 * Bytes put together up to a maximum. They are copied: a piece of a few bytes would otherwise keep the whole block
 * alive that it was read in.
 */
export class BoundedBytes {
  readonly #most: number;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws OutputLimitError where they become too many */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#most) throw new OutputLimitError(this.#most);
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.min(this.#most, Math.max(length, 2 * this.#bytes.length)));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** The last of them, at most so many. */
  end(bytes: number): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#length - bytes), this.#length);
  }

  /** What has come since the last `take`. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}

/** What a piece of a stream counts for at least: to take one up costs as much time as to copy some KiB. */
const LEAST_PIECE_BYTES = 256;

/**
 * All of a stream's bytes. The stream is destroyed where they, or its pieces, are too many.
 *
 * @throws OutputLimitError; whatever ended the stream
 */
export async function readAll(stream: AsyncIterable<unknown>, most: number): Promise<Buffer> {
  const bytes = new BoundedBytes(most);
  let pieces = 0;
  for await (const chunk of stream) {
    bytes.add(chunk as Uint8Array);
    if (++pieces * LEAST_PIECE_BYTES > most) throw new OutputLimitError(most);
  }
  return bytes.take();
}
