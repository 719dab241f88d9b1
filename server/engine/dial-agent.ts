import { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import pLimit from 'p-limit';

/** How many requests to a host's engine run at once; a check makes many short ones. */
const NESTED_CONNECTIONS = 4;
/** The events stream holds one connection as long as the host runs, beside those for requests. */
const MOST_CONNECTIONS = NESTED_CONNECTIONS + 1;

/** An HTTP agent whose connections are made by the caller. */
export class DialAgent extends Agent {
  readonly #connect: () => Duplex;

  /** @param connect gives a connection at once, which may still be on its way: those that it waits for are not counted */
  constructor(connect: () => Duplex) {
    super({ keepAlive: true, maxSockets: MOST_CONNECTIONS, maxFreeSockets: NESTED_CONNECTIONS });
    this.#connect = connect;
  }

  override createConnection(): Duplex {
    return this.#connect();
  }
}

/**
 * Connections that are made by dialing, a few at a time. One that nobody wants any more keeps its turn until it is made, as
 * an engine goes on with what it was asked for: on a machine where dialing takes longer than anybody waits, it would
 * otherwise have a process for each attempt.
 */
export function dialed(dial: () => Promise<Duplex>): () => Duplex {
  const turns = pLimit(MOST_CONNECTIONS);
  return () => new DialedConnection((isWanted) => turns(async () => isWanted() && (await dial())));
}

/** A connection on its way. What is written waits for it. */
class DialedConnection extends Duplex {
  #connection: Duplex | undefined;
  /** What was written, or ended, before it came. */
  #early: ((connection: Duplex) => void) | undefined;

  constructor(dial: (isWanted: () => boolean) => Promise<Duplex | false>) {
    super({ allowHalfOpen: true });
    dial(() => !this.destroyed).then(
      (connection) => connection && this.#take(connection),
      // The cause may carry a status code of the outer engine, which callers must not take for the host engine's.
      (cause: unknown) => this.destroy(new Error('no connection', { cause })),
    );
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

  // What Node's HTTP agent asks of a socket.
  readonly setKeepAlive = (): this => this;
  readonly setNoDelay = (): this => this;
  readonly setTimeout = (): this => this;
  readonly ref = (): this => this;
  readonly unref = (): this => this;

  #whenThere(work: (connection: Duplex) => void): void {
    if (this.#connection) work(this.#connection);
    else this.#early = work;
  }

  #take(connection: Duplex): void {
    connection.on('error', (error) => this.destroy(error));
    if (this.destroyed) {
      connection.destroy();
      return;
    }
    this.#connection = connection;
    connection.on('data', (chunk: Buffer) => this.push(chunk) || connection.pause());
    connection.on('end', () => this.push(null));
    connection.on('close', () => {
      // What has come before its end may not have been read yet.
      if (connection.readableEnded && !this.readableEnded) this.once('end', () => this.destroy());
      else this.destroy();
    });
    this.#early?.(connection);
  }
}
