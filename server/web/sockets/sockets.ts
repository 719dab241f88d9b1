import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MAX_UP_BYTES, STREAM_PATH } from '#protocol';
import type { Background } from '../../base/background.ts';
import { QuaysideError } from '../../base/errors.ts';
import type { Cookies } from '../cookies.ts';
import { httpError } from '../http-errors.ts';
import type { Api } from '../schemas.ts';
import { HttpStream } from './http-link.ts';
import type { Link } from './link.ts';
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

/** Of links that nobody has to sign in for. No learner's id has a space. */
const VISITOR = 'visitor ';

function visitor(ip: string): string {
  return VISITOR + ip;
}

export type SocketLink = (socket: Link) => void;

/** Three hosts with a few terminals each, in a few tabs. */
export const SOCKETS_PER_LEARNER = 64;
/** A class that comes from one address, and tries its line at once; each such link ends within a minute. */
const LINKS_PER_ADDRESS = 512;
/** How long a page has to answer the goodbye before its socket is cut. */
const GOODBYE_MS = 1_000;
/**
 * A request for a socket that is neither opened nor closed after so long is cut. Node's own limits on requests end
 * where a request asks for an upgrade.
 */
const UPGRADE_MS = 15_000;
/** The instructor's sockets are counted together, as one learner's are. */
const INSTRUCTOR = 'instructor';

/** Some tabs of a whole class; each holds a connection. */
const STREAMS_MOST = 1_024;
/** Unguessable: whoever has it may add to the stream what they could have without it. */
const KEY_BYTES = 18;
/** A page numbers its links; more than it opens in its life. */
const MOST_LINKS = 1_000_000;
const KEY = z.string().regex(/^[\w-]{24}$/);
const LINK = z.coerce.number().int().min(1).max(MOST_LINKS);
const UP = z.strictObject({
  sequence: z.number().int().min(1),
  messages: z.array(
    z.strictObject({ link: LINK, bytes: z.string().max(MAX_UP_BYTES).exactOptional() }),
  ),
});

export interface SocketRoute<Names> {
  /** The names in the path. A path whose names do not fit is no path of ours. */
  readonly names: z.ZodType<Names>;
  /** For the instructor alone; for learners, if not given. */
  readonly instructor?: boolean;
  /** For anybody; their links are counted by the address that they come from. */
  readonly public?: boolean;
  /**
   * Looks everything up under its owner, before the socket is opened: what it throws is an HTTP answer.
   *
   * @param learner who asks; nobody where it is for the instructor
   * @returns what to do with the socket once it is open
   */
  readonly admit: (names: Names, learner: string) => SocketLink;
}

/**
 * The links of pages: WebSockets and, for networks that stop these, links over HTTP at the same addresses. A request for
 * one passes the same hooks as any other request, so each refusal is an HTTP answer with an error body.
 */
export class Sockets {
  readonly #app: FastifyInstance;
  readonly #background: Background;
  readonly #goodbye: string;
  /** By owner, each by the connection below it: one that is still being opened counts already. */
  readonly #open = new Map<string, Map<object, Link | undefined>>();
  /** By key. */
  readonly #streams = new Map<string, HttpStream>();
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
    const { size } = this.#app.websocketServer.clients;
    return size + [...this.#streams.values()].flatMap(({ links }) => [...links]).length;
  }

  /** Answers requests for a socket at a path. */
  add<Names>(
    app: Api,
    url: string,
    { names, instructor = false, public: isPublic = false, admit }: SocketRoute<Names>,
  ): void {
    const config = { ...(instructor && { instructor }), ...(isPublic && { public: true }) };
    const ownerOf = ({ learner, ip }: FastifyRequest): string => {
      if (instructor) return INSTRUCTOR;
      return isPublic ? visitor(ip) : learner;
    };
    app.route({
      method: 'GET',
      url,
      config: { socket: true, ...config },
      schema: { hide: true, params: names },
      attachValidation: true,
      preHandler: async (request) => {
        if (!request.ws || request.validationError) throw httpError('NOT_FOUND');
        const link = admit(request.params as Names, request.learner);
        const owner = ownerOf(request);
        const connection = request.raw.socket;
        this.#count(owner, connection);
        connection.once('close', () => this.#discount(owner, connection));
        request.link = (socket) => {
          this.#open.get(owner)?.set(connection, socket);
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
    app.route({
      method: 'POST',
      url,
      config,
      schema: {
        hide: true,
        params: names,
        querystring: z.strictObject({ stream: KEY, link: LINK }),
        response: { 204: z.undefined() },
      },
      handler: async (request) => {
        const { stream, link: number } = request.query as { stream: string; link: number };
        const link = admit(request.params as Names, request.learner);
        const owner = ownerOf(request);
        const socket = this.#stream(stream).open(number, owner);
        socket.once('close', () => this.#discount(owner, socket));
        try {
          this.#count(owner, socket, socket);
        } catch (error) {
          socket.terminate();
          throw error;
        }
        guardOf(socket, this.#background, 'open a socket')(link)(socket);
      },
    });
  }

  /** The streams that carry links over HTTP. Nobody has to sign in for one: each of its links asks who it is. */
  addStreams(app: Api, cookies: Cookies): void {
    app.post(
      STREAM_PATH,
      { config: { public: true }, schema: { hide: true } },
      (_request, reply) => {
        if (this.#closing || this.#streams.size >= STREAMS_MOST) {
          throw new QuaysideError(
            'TOO_MANY',
            'This server has too many pages open over HTTP.',
            'Try again in a while.',
          );
        }
        reply.hijack();
        reply.raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream',
          'cache-control': 'no-store, no-transform',
          // nginx would collect what comes, and wait.
          'x-accel-buffering': 'no',
        });
        const key = randomBytes(KEY_BYTES).toString('base64url');
        this.#streams.set(key, new HttpStream(reply.raw, key));
        reply.raw.once('close', () => this.#streams.delete(key));
      },
    );
    app.post(
      `${STREAM_PATH}/:key`,
      {
        config: { public: true },
        bodyLimit: 2 * MAX_UP_BYTES,
        schema: {
          hide: true,
          params: z.strictObject({ key: KEY }),
          body: UP,
          response: { 204: z.undefined() },
        },
      },
      async ({ params, body, headers: { cookie }, ip }) => {
        const owners = [cookies.learner(cookie), visitor(ip)];
        const isOwner = (owner: string) =>
          owner === INSTRUCTOR ? cookies.isInstructor(cookie) : owners.includes(owner);
        this.#stream(params.key).take(body.sequence, body.messages, isOwner);
      },
    );
  }

  #stream(key: string): HttpStream {
    const stream = this.#streams.get(key);
    if (!stream) throw httpError('NOT_FOUND');
    return stream;
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

  #count(owner: string, connection: object, link?: Link): void {
    const theirs = this.#open.get(owner) ?? new Map<object, Link | undefined>();
    const most = owner.startsWith(VISITOR) ? LINKS_PER_ADDRESS : SOCKETS_PER_LEARNER;
    if (theirs.size >= most) {
      throw new QuaysideError(
        'TOO_MANY',
        'This browser has too many connections open at once.',
        'Close some tabs of this lab, then try again.',
      );
    }
    this.#open.set(owner, theirs.set(connection, link));
  }

  #discount(owner: string, connection: object): void {
    const theirs = this.#open.get(owner);
    theirs?.delete(connection);
    if (theirs?.size === 0) this.#open.delete(owner);
  }

  /** Says goodbye on every socket, then cuts what is left. */
  async #close(): Promise<void> {
    this.#closing = true;
    for (const stream of this.#streams.values()) stream.close(CLOSE.goingAway, this.#goodbye);
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
