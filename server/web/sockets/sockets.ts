import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Sessions } from '../../session/sessions.ts';
import type { AllowList } from '../allow-list.ts';
import type { Admitted } from '../class/class-sockets.ts';
import {
  bodyOf,
  httpErrorOf,
  notFound,
  notSignedIn,
  tooMany,
  wrongHost,
  wrongOrigin,
} from '../http-errors.ts';
import { SOCKET_PATHS } from '../schemas.ts';
import { linkEvents } from './event-socket.ts';
import { linkTerminal, MAX_TERMINAL_MESSAGE } from './terminal-socket.ts';

/** Three hosts with a few terminals each, in a few tabs. */
const SOCKETS_PER_LEARNER = 64;
/** How long a page has to answer our goodbye before the socket is cut. */
const GOODBYE_MS = 1_000;
/** RFC 6455, 7.4.1: the server is going away; policy violation. */
const GOING_AWAY = 1001;
const POLICY = 1008;

export interface SocketOptions {
  readonly sessions: Sessions;
  readonly allowList: () => AllowList;
  readonly learnerOf: (cookies: string | undefined) => string | undefined;
  readonly inClass: boolean;
  /** Lets in those sockets that are a class's; `undefined` for any other path. */
  readonly admitToClass?: (path: string, cookies: string | undefined) => Admitted | undefined;
  /** What everybody is told when the server stops: one sentence that says what it means for them. */
  readonly goodbye: string;
  /** Told of a defect of ours, with the path it happened on. */
  readonly onDefect: (error: unknown, path: string) => void;
}

/** Closing it says goodbye on every socket, then cuts what is left. */
export interface Sockets {
  close(): Promise<void>;
  /** How many are open. */
  count(): number;
  /** Cuts every socket of a learner who is signed out. */
  drop(learner: string): void;
}

/**
 * The one upgrade handler of the server. In this order: the name asked for, the page that asks, who asks, and only then
 * what for; each refusal is an HTTP answer with an error body.
 */
export function acceptSockets(server: Server, options: SocketOptions): Sockets {
  const accepting = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_TERMINAL_MESSAGE,
    perMessageDeflate: false,
  });
  const open = new Map<string, Set<WebSocket>>();
  let stopping = false;

  server.on('upgrade', (request, socket, head) => {
    // A visitor who hangs up while we answer is no failure of ours.
    socket.on('error', () => socket.destroy());
    // One more socket now would keep the server from ever ending.
    if (stopping) {
      socket.destroy();
      return;
    }
    try {
      const { owner, link } = admit(request, options);
      const theirs = open.get(owner) ?? new Set();
      if (theirs.size >= SOCKETS_PER_LEARNER) throw tooMany('connections');
      accepting.handleUpgrade(request, socket, head, (webSocket) => {
        open.set(owner, theirs.add(webSocket));
        webSocket.on('close', () => {
          theirs.delete(webSocket);
          if (theirs.size === 0 && open.get(owner) === theirs) open.delete(owner);
        });
        // `ws` closes the socket itself after an error such as an oversized message.
        webSocket.on('error', () => {});
        link(webSocket);
      });
    } catch (error) {
      const refusal = httpErrorOf(error);
      if (refusal.code === 'INTERNAL') options.onDefect(error, pathOf(request));
      refuse(socket, refusal.status, JSON.stringify(bodyOf(refusal)));
    }
  });

  return {
    close: async () => {
      stopping = true;
      await Promise.all(
        [...accepting.clients].map(async (each) => {
          const closed = new Promise<void>((resolve) => each.once('close', () => resolve()));
          each.close(GOING_AWAY, options.goodbye);
          const cut = setTimeout(() => each.terminate(), GOODBYE_MS);
          await closed;
          clearTimeout(cut);
        }),
      );
    },
    count: () => accepting.clients.size,
    drop: (learner) => {
      for (const each of open.get(learner) ?? []) each.close(POLICY, 'Signed out.');
    },
  };
}

function admit(request: IncomingMessage, options: SocketOptions): Admitted {
  const { headers } = request;
  const { hosts, origins } = options.allowList();
  if (!hosts.has(headers.host ?? '')) throw wrongHost();
  // Every browser names the page that opens a WebSocket, and no rule but this keeps other sites' pages out.
  if (!origins.has(headers.origin ?? '')) throw wrongOrigin();
  const inClass = options.admitToClass?.(pathOf(request), headers.cookie);
  if (inClass) return inClass;
  const learner = options.learnerOf(headers.cookie);
  if (learner === undefined) throw notSignedIn(options.inClass);
  return { owner: learner, link: linkFor(request, learner, options.sessions) };
}

/** What to do with the socket once it is open; everything is looked up before, under its owner. */
function linkFor(
  request: IncomingMessage,
  learner: string,
  sessions: Sessions,
): (socket: WebSocket) => void {
  const path = pathOf(request);
  const events = SOCKET_PATHS.events.exec(path)?.groups;
  if (events) {
    const { lab = '' } = events;
    // Throws for a lab that there is not, while it can still be said as an HTTP answer.
    sessions.of(learner, lab).snapshot();
    return (socket) =>
      linkEvents(socket, (listener) => sessions.of(learner, lab).subscribe(listener));
  }
  const wanted = SOCKET_PATHS.terminal.exec(path)?.groups;
  if (wanted) {
    const { lab = '', terminal: id = '' } = wanted;
    const terminal = sessions.of(learner, lab).terminal(id);
    return (socket) => linkTerminal(socket, terminal);
  }
  throw notFound();
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function refuse(socket: Duplex, status: number, body: string): void {
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      'X-Content-Type-Options: nosniff',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
