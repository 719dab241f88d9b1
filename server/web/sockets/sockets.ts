import { once } from 'node:events';
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type { Background } from '../../base/background.ts';
import { QuaysideError } from '../../base/errors.ts';
import { httpError } from '../http-errors.ts';
import type { Api } from '../schemas.ts';
import { CLOSE, guardOf } from './socket-guard.ts';
import { MAX_TERMINAL_MESSAGE } from './terminal-socket.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What is done with the socket that this request asks for, once it is open. */
    link: SocketLink;
  }
  interface FastifyContextConfig {
    /** Answers requests for a WebSocket. At any other route they are refused. */
    readonly socket?: boolean;
  }
}

export type SocketLink = (socket: WebSocket) => void;

/** Three hosts with a few terminals each, in a few tabs. */
export const SOCKETS_PER_LEARNER = 64;
/** How long a page has to answer the goodbye before its socket is cut. */
const GOODBYE_MS = 1_000;
/**
 * A request for a socket that is neither opened nor closed after so long is cut. Node's own limits on requests end
 * where a request asks for an upgrade.
 */
const UPGRADE_MS = 15_000;
/** The instructor's sockets are counted together, as one learner's are. */
const INSTRUCTOR = 'instructor';

export interface SocketRoute<Names> {
  /** The names in the path. A path whose names do not fit is no path of ours. */
  readonly names: z.ZodType<Names>;
  /** For the instructor alone; for learners, if not given. */
  readonly instructor?: boolean;
  /**
   * Looks everything up under its owner, before the socket is opened: what it throws is an HTTP answer.
   *
   * @param learner who asks; nobody where it is for the instructor
   * @returns what to do with the socket once it is open
   */
  readonly admit: (names: Names, learner: string) => SocketLink;
}

/**
 * The WebSockets of the server. A request for one passes the same hooks as any other request, so each refusal is an
 * HTTP answer with an error body.
 */
export class Sockets {
  readonly #app: FastifyInstance;
  readonly #background: Background;
  readonly #goodbye: string;
  /** By owner, each with the connection below it: one that is still being opened counts already. */
  readonly #open = new Map<string, Map<Socket, WebSocket | undefined>>();
  #closing = false;

  private constructor(app: FastifyInstance, background: Background, goodbye: string) {
    this.#app = app;
    this.#background = background;
    this.#goodbye = goodbye;
  }

  /**
   * Takes in requests for sockets. To be called before the hooks that refuse requests are added.
   *
   * @param goodbye what everybody is told when the server stops: one sentence that says what it means for them
   */
  static async on(app: FastifyInstance, background: Background, goodbye: string): Promise<Sockets> {
    const sockets = new Sockets(app, background, goodbye);
    app.decorateRequest('link');
    app.server.on('upgrade', (_request, connection) => sockets.#limit(connection as Socket));
    await app.register(websocket, {
      options: { maxPayload: MAX_TERMINAL_MESSAGE },
      preClose: () => sockets.#close(),
      // `ws` closes a socket itself after an error such as an oversized message.
      errorHandler: () => undefined,
    });
    return sockets;
  }

  /** How many are open. */
  get count(): number {
    return this.#app.websocketServer.clients.size;
  }

  /** Answers requests for a socket at a path. */
  add<Names>(
    app: Api,
    url: string,
    { names, instructor = false, admit }: SocketRoute<Names>,
  ): void {
    app.route({
      method: 'GET',
      url,
      config: { socket: true, ...(instructor && { instructor }) },
      schema: { hide: true, params: names },
      attachValidation: true,
      preHandler: async (request) => {
        if (!request.ws || request.validationError) throw httpError('NOT_FOUND');
        const link = admit(request.params as Names, request.learner);
        const owner = instructor ? INSTRUCTOR : request.learner;
        this.#count(owner, request.raw.socket);
        request.link = (socket) => {
          this.#open.get(owner)?.set(request.raw.socket, socket);
          link(socket);
        };
      },
      handler: () => {
        throw httpError('NOT_FOUND');
      },
      wsHandler: (socket, request) => {
        guardOf(socket, this.#background, 'open a socket')(request.link)(socket);
      },
    });
  }

  /** Cuts every socket of a learner who is signed out. */
  drop(learner: string): void {
    for (const socket of this.#open.get(learner)?.values() ?? [])
      socket?.close(CLOSE.policy, 'Signed out.');
  }

  #limit(connection: Socket): void {
    // One more socket now would keep the server from ever ending.
    if (this.#closing) connection.destroy();
    else connection.setTimeout(UPGRADE_MS, () => connection.destroy());
  }

  #count(owner: string, connection: Socket): void {
    const theirs = this.#open.get(owner) ?? new Map<Socket, WebSocket | undefined>();
    if (theirs.size >= SOCKETS_PER_LEARNER) {
      throw new QuaysideError(
        'TOO_MANY',
        'This browser has too many connections open at once.',
        'Close some tabs of this lab, then try again.',
      );
    }
    this.#open.set(owner, theirs.set(connection, undefined));
    connection.once('close', () => {
      theirs.delete(connection);
      if (theirs.size === 0 && this.#open.get(owner) === theirs) this.#open.delete(owner);
    });
  }

  /** Says goodbye on every socket, then cuts what is left. */
  async #close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      [...this.#app.websocketServer.clients].map(async (each) => {
        const closed = once(each, 'close');
        each.close(CLOSE.goingAway, this.#goodbye);
        const cut = setTimeout(() => each.terminate(), GOODBYE_MS);
        await closed;
        clearTimeout(cut);
      }),
    );
  }
}
