import type { Duplex } from 'node:stream';
import { ConnectionStream } from './connection-stream.ts';
import { PIECE_BYTES, type ReadBudget } from './read-budget.ts';

/** Docker multiplexes stdout and stderr of a TTY-less process: 8 bytes of header (stream, 0, 0, 0, length) a frame. */
const HEADER_BYTES = 8;
const STDERR = 2;
/** Enough of stderr to name a cause; a process that floods it must not fill our memory. */
const STDERR_KEPT_BYTES = 16 * 1024;

/**
 * The stdin and stdout of a process in a container as one duplex stream, over the connection that Docker upgraded for
 * it. Of what the process writes to stderr the last 16 KiB are kept apart.
 * HTTP can be spoken through it.
 *
 * Frame layout: Docker Engine API, "Attach to a container", stream format.
 */
export class ProcessStream extends ConnectionStream {
  readonly #budget: ReadBudget | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #frameLeft = 0;
  #frameIsStderr = false;
  readonly #stderr = Buffer.alloc(STDERR_KEPT_BYTES);
  /** How many bytes of stderr there have been. Each stands at its number, round the buffer. */
  #stderrBytes = 0;

  /** @param budget bounds what is read; the stream is destroyed where it is too much */
  constructor(connection: Duplex, budget?: ReadBudget) {
    super();
    this.#budget = budget;
    // Its reader gets the error. Where there is none yet, it must not end the server.
    this.on('error', () => undefined);
    this.carry(connection, (chunk) => {
      try {
        budget?.take(chunk.length);
        return this.#take(chunk);
      } catch (error) {
        this.destroy(error as Error);
        return false;
      }
    });
    connection.pause();
  }

  /** The end of what the process wrote to stderr. */
  get stderr(): string {
    const start = this.#stderrBytes % STDERR_KEPT_BYTES;
    const newest = this.#stderr.subarray(0, start);
    const isFull = this.#stderrBytes >= STDERR_KEPT_BYTES;
    return Buffer.concat(isFull ? [this.#stderr.subarray(start), newest] : [newest]).toString();
  }

  #keepStderr(part: Buffer): void {
    const kept = part.subarray(-STDERR_KEPT_BYTES);
    const start = (this.#stderrBytes + part.length - kept.length) % STDERR_KEPT_BYTES;
    const fits = STDERR_KEPT_BYTES - start;
    this.#stderr.set(kept.subarray(0, fits), start);
    this.#stderr.set(kept.subarray(fits), 0);
    this.#stderrBytes += part.length;
  }

  /** Unwraps what has come; false when the reader wants no more for now. */
  #take(chunk: Buffer): boolean {
    let data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    let wanted = true;
    while (data.length > 0) {
      if (this.#frameLeft === 0) {
        if (data.length < HEADER_BYTES) break;
        this.#frameIsStderr = data[0] === STDERR;
        this.#frameLeft = data.readUInt32BE(4);
        this.#budget?.take(PIECE_BYTES);
        data = data.subarray(HEADER_BYTES);
        continue;
      }
      const part = data.subarray(0, this.#frameLeft);
      this.#frameLeft -= part.length;
      data = data.subarray(part.length);
      if (this.#frameIsStderr) {
        this.#keepStderr(part);
      } else {
        wanted = this.push(part);
      }
    }
    this.#pending = data;
    return wanted;
  }
}
