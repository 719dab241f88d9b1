import { Duplex } from 'node:stream';

/** What goes through a connection that may still be on its way, for HTTP's sake with what Node's agent asks of a socket. */
export abstract class ConnectionStream extends Duplex {
  #connection: Duplex | undefined;
  /** What was written, or ended, before it came. */
  #early: ((connection: Duplex) => void) | undefined;

  protected constructor() {
    super({ allowHalfOpen: true });
  }

  /**
   * The connection is there. It is closed with this stream, and this one with it.
   *
   * @param take is given what comes; whether more is wanted
   */
  protected carry(connection: Duplex, take: (chunk: Buffer) => boolean): void {
    connection.on('error', (error) => this.destroy(error));
    if (this.destroyed) {
      connection.destroy();
      return;
    }
    this.#connection = connection;
    connection.on('data', (chunk: Buffer) => take(chunk) || connection.pause());
    connection.on('end', () => this.push(null));
    connection.on('close', () => {
      // What has come before its end may not have been read yet.
      if (connection.readableEnded && !this.readableEnded) this.once('end', () => this.destroy());
      else this.destroy();
    });
    this.#early?.(connection);
  }

  override _read(): void {
    this.#connection?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#whenThere((connection) => {
      if (connection.write(chunk)) done();
      else connection.once('drain', done);
    });
  }

  override _final(done: () => void): void {
    this.#whenThere((connection) => {
      connection.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection?.destroy();
    done(error);
  }

  readonly setKeepAlive = (): this => this;
  readonly setNoDelay = (): this => this;
  readonly setTimeout = (): this => this;
  readonly ref = (): this => this;
  readonly unref = (): this => this;

  #whenThere(work: (connection: Duplex) => void): void {
    if (this.#connection) work(this.#connection);
    else this.#early = work;
  }
}
