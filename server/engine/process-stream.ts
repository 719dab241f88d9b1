import { Duplex } from 'node:stream';

/** Docker multiplexes stdout and stderr of a TTY-less process: 8 bytes of header (stream, 0, 0, 0, length) a frame. */
const HEADER_BYTES = 8;
const STDERR = 2;
/** Enough of stderr to name a cause; a process that floods it must not fill our memory. */
const STDERR_KEPT_BYTES = 16 * 1024;

/**
 * The stdin and stdout of a process in a container as one duplex stream, over the connection that Docker upgraded for
 * it. What the process says on stderr is kept apart (its last 16 KiB).
 *
 * It also answers the few calls that Node's HTTP agent makes on a socket, so that HTTP can be spoken through it.
 * Frame layout: Docker Engine API, "Attach to a container", stream format.
 */
export class ProcessStream extends Duplex {
  readonly #wire: Duplex;
  #pending: Buffer = Buffer.alloc(0);
  #frameLeft = 0;
  #frameIsStderr = false;
  #stderr = '';

  constructor(wire: Duplex) {
    super({ allowHalfOpen: true });
    this.#wire = wire;
    wire.on('data', (chunk: Buffer) => {
      if (!this.#take(chunk)) wire.pause();
    });
    wire.on('end', () => this.push(null));
    wire.on('error', (error) => this.destroy(error));
    wire.on('close', () => {
      if (!this.readableEnded) this.push(null);
      this.destroy();
    });
    wire.pause();
  }

  /** The end of what the process wrote to stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  override _read(): void {
    this.#wire.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#wire.write(chunk)) done();
    else this.#wire.once('drain', done);
  }

  override _final(done: () => void): void {
    this.#wire.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wire.destroy();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
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
        data = data.subarray(HEADER_BYTES);
        continue;
      }
      const part = data.subarray(0, this.#frameLeft);
      this.#frameLeft -= part.length;
      data = data.subarray(part.length);
      if (this.#frameIsStderr) {
        this.#stderr = (this.#stderr + part.toString()).slice(-STDERR_KEPT_BYTES);
      } else {
        wanted = this.push(part);
      }
    }
    this.#pending = data;
    return wanted;
  }
}
