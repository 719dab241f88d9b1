import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import { ConnectionStream } from './connection-stream.ts';

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
class DialedConnection extends ConnectionStream {
  constructor(dial: (isWanted: () => boolean) => Promise<Duplex | false>) {
    super();
    dial(() => !this.destroyed).then(
      (connection) => connection && this.carry(connection, (chunk) => this.push(chunk)),
      // The cause may carry a status code of the outer engine, which callers must not take for the host engine's.
      (cause: unknown) => this.destroy(new Error('no connection', { cause })),
    );
  }
}
