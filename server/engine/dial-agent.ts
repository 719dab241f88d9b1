import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';

/** How many requests to a host's engine run at once; a check makes many short ones. */
const NESTED_CONNECTIONS = 4;

/** An HTTP agent whose connections are made by the caller. */
export class DialAgent extends Agent {
  readonly #connect: () => Promise<Duplex>;

  constructor(connect: () => Promise<Duplex>) {
    // The events stream holds one connection as long as the host runs, beside those for requests.
    super({
      keepAlive: true,
      maxSockets: NESTED_CONNECTIONS + 1,
      maxFreeSockets: NESTED_CONNECTIONS,
    });
    this.#connect = connect;
  }

  override createConnection(
    _options: object,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): null {
    this.#connect().then(
      (stream) => callback?.(null, stream),
      // The cause may carry a status code of the outer engine, which callers must not take for the host engine's.
      (cause: Error) => callback?.(new Error('no connection', { cause }), new Duplex()),
    );
    return null;
  }
}

/** A connection to a socket on this machine; a host made by an older version has none there, and is dialed. */
export async function connected(path: string, dial: () => Promise<Duplex>): Promise<Duplex> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return await dial();
    throw error;
  }
}
