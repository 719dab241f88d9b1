import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import pLimit, { type LimitFunction } from 'p-limit';
import type { SignalBody } from '#lab';
import type { VisitView } from '#protocol';
import { QuaysideError } from '../base/errors.ts';
import {
  type Address,
  addressOfPath,
  framePath,
  pagePath,
  paneRoot,
  parseTyped,
} from './address.ts';
import { Credentials } from './credentials.ts';
import { decoded, type FrameContent, isHtml, rewritten } from './html-page.ts';
import type { Dial, PageRequest, PageResponse, StreamResponse } from './page-request.ts';
import { textOf } from './page-text.ts';
import { titleOf } from './rewrite.ts';
import { type Asked, type Browsing, type Visited, visit } from './visit.ts';

/** Pages that stay to be shown again, by the pane's back and forward; the oldest goes first. */
const PAGES_KEPT = 8;
/** All kept pages of one learner together: a class of fifty must not fill the memory with pictures. */
const PAGES_KEPT_BYTES = 10 * 1024 * 1024;
/** As many connections as a browser makes to one server; a page with more parts than that waits its turn. */
const PARTS_AT_ONCE = 6;
const PARTS_WAITING = 200;
const VISITS_AT_ONCE = 4;
const VISITS_WAITING = 8;
/**
 * Streams of events and WebSockets. A browser makes six connections to one server over HTTP/1.1, and the page around
 * the pane needs some of them.
 */
const STREAMS_AT_ONCE = 4;
/** Bodies that are being sent: each may be as large as the web edge lets it. */
const UPLOADS_AT_ONCE = 4;
/** Longer titles are cut, as a tab would. */
const TITLE_CHARACTERS = 200;

export type VisitSignal = Extract<SignalBody, { kind: 'visit' }>;

export interface BrowserPaneOptions {
  /** The host whose network the pane looks from, as the learner knows it. */
  readonly from: string;
  /** Starts a process in that host. */
  readonly dial: Dial;
  /** The path of another site that this server is below; none, if not given. */
  readonly basePath?: string;
  /** Told of every visit, whether typed into the address box or followed inside the page, before it is answered. */
  readonly onVisit: (visit: VisitView, signal: VisitSignal) => void;
}

/** What a page in the frame asks of this server. */
export interface FrameRequest extends PageRequest {
  /** What follows `/pane/<key>/`, query included, still encoded. */
  readonly path: string;
  /** It is to be the page in the frame, and not a part of one. */
  readonly document: boolean;
}

/** `moved`: the page asked for was visited and is to be had at `path`. */
export type FrameAnswer =
  | ({ readonly kind: 'content' } & FrameContent)
  | { readonly kind: 'events'; readonly status: number; readonly body: Readable }
  | { readonly kind: 'moved'; readonly path: string }
  | { readonly kind: 'failed'; readonly url: string; readonly outcome: Visited['outcome'] }
  | { readonly kind: 'gone' };

/** A WebSocket that the page's server has opened, with what it has said on it already; or none. */
export type SocketAnswer =
  | {
      readonly kind: 'open';
      readonly headers: IncomingHttpHeaders;
      readonly socket: Duplex;
      readonly head: Buffer;
    }
  | { readonly kind: 'failed' };

type Content = Extract<FrameAnswer, { kind: 'content' }>;

/**
 * A learner's browser: asks for pages from the network of one host, keeps the last few, and answers for the frame that
 * shows them. Every page of it is under an unguessable key of its own, which ends with it.
 */
export class BrowserPane implements Disposable {
  readonly key = randomBytes(18).toString('base64url');
  readonly #options: BrowserPaneOptions;
  readonly #closed = new AbortController();
  readonly #pages = new Map<string, Content>();
  readonly #parts = pLimit(PARTS_AT_ONCE);
  readonly #visits = pLimit(VISITS_AT_ONCE);
  readonly #credentials = new Credentials();
  readonly #browsing: Browsing;
  #streams = 0;
  #uploads = 0;

  constructor(options: BrowserPaneOptions) {
    this.#options = options;
    const dial: Dial = (argv, way) =>
      options.dial(argv, way).catch((error: unknown) => {
        throw this.#closed.signal.aborted ? error : noWayIn(options.from, error);
      });
    this.#browsing = { dial, credentials: this.#credentials };
  }

  /** The path that everything of this pane is below, as browsers see it. */
  get root(): string {
    return paneRoot(this.key, this.#options.basePath);
  }

  /** The same, as the server's routes have it: without the base path. */
  get route(): string {
    return paneRoot(this.key);
  }

  /**
   * Opens an address as typed. How it went is in the answer, and has been told to `onVisit`.
   *
   * @throws QuaysideError BAD_ADDRESS, TOO_MANY, SESSION_NOT_READY once the pane is closed
   */
  async visit(typed: string): Promise<VisitView> {
    const { address, login } = parseTyped(typed);
    if (login !== undefined) this.#credentials.login(address.url, login);
    return (await this.#visit(address, { method: 'GET', headers: { accept: 'text/html,*/*' } }))
      .view;
  }

  /**
   * Answers a request of the frame.
   *
   * @throws QuaysideError BAD_ADDRESS, TOO_MANY, SESSION_NOT_READY once the pane is closed
   */
  async frame(request: FrameRequest): Promise<FrameAnswer> {
    const kept = /^page\/([^/?]+)/.exec(request.path)?.[1];
    if (kept !== undefined) return this.#pages.get(kept) ?? { kind: 'gone' };
    const address = addressOfPath(request.path);
    if (request.document) {
      const { view, visited } = await this.#visit(address, request);
      if (view.frame !== undefined) return { kind: 'moved', path: view.frame };
      return { kind: 'failed', url: visited.finalUrl.href, outcome: visited.outcome };
    }
    const streaming = { ...request, mayStream: true };
    const part = await this.#ask(this.#parts, PARTS_WAITING, address, streaming);
    if (part.outcome === 'events') {
      return { kind: 'events', status: part.status, body: this.#counted(part).body };
    }
    const page = whole(part);
    if (page.outcome !== 'page') {
      return { kind: 'failed', url: page.finalUrl.href, outcome: page.outcome };
    }
    const content = await rewritten(page, (url) => framePath(this.root, url));
    return { kind: 'content', ...content };
  }

  /**
   * Opens a WebSocket for a page of the frame.
   *
   * @param headers those of the page's handshake
   * @throws QuaysideError BAD_ADDRESS, TOO_MANY, SESSION_NOT_READY once the pane is closed
   */
  async socket(path: string, headers: PageRequest['headers']): Promise<SocketAnswer> {
    const address = addressOfPath(path);
    const request: PageRequest = {
      method: 'GET',
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        origin: address.url.origin,
      },
      mayStream: true,
    };
    const asked = await this.#ask(this.#parts, PARTS_WAITING, address, request);
    if (asked.outcome !== 'socket') {
      if (asked.outcome === 'events') asked.body.destroy();
      return { kind: 'failed' };
    }
    const { headers: answered, body: socket, head } = this.#counted(asked);
    return { kind: 'open', headers: answered, socket, head };
  }

  /** A script's `document.cookie` at an address; set first, where it is given one. */
  cookie(path: string, set?: string): string {
    const { url } = addressOfPath(path);
    if (set !== undefined) this.#credentials.take(url, [set], false);
    return this.#credentials.seenByScript(url);
  }

  /** Counts a body that is being sent, until disposed. @throws QuaysideError TOO_MANY */
  upload(): Disposable {
    if (this.#uploads >= UPLOADS_AT_ONCE) {
      throw new QuaysideError(
        'TOO_MANY',
        `The browser pane sends ${UPLOADS_AT_ONCE} forms or files at once.`,
        'Wait for them, then send it again.',
      );
    }
    this.#uploads += 1;
    return {
      [Symbol.dispose]: () => {
        this.#uploads -= 1;
      },
    };
  }

  /** The HTML (or whatever came) of a visit's page, while it is kept; "" where there is none. */
  sourceOf(visit: string): string {
    return this.#pages.get(visit)?.body.toString() ?? '';
  }

  /** Ends what is under way; the key leads nowhere from now on. */
  [Symbol.dispose](): void {
    this.#closed.abort(
      new QuaysideError(
        'SESSION_NOT_READY',
        'The hosts that this browser looks from have been stopped.',
        'Start the lab, then open the address again.',
      ),
    );
    this.#pages.clear();
  }

  async #visit(
    address: Address,
    request: PageRequest,
  ): Promise<{ view: VisitView; visited: Visited }> {
    const { from, onVisit } = this.#options;
    const visited = whole(await this.#ask(this.#visits, VISITS_WAITING, address, request));
    const id = randomBytes(9).toString('base64url');
    const url = address.url.href;
    const { outcome, milliseconds } = visited;
    const status = visited.outcome === 'page' ? { status: visited.status } : {};
    const movedTo = visited.finalUrl.href === url ? {} : { movedTo: visited.finalUrl.href };
    let view: VisitView = { id, url, from, outcome, ...status, ...movedTo, milliseconds };
    if (visited.outcome === 'page') {
      const frame = pagePath(this.root, id);
      const title = isHtml(visited)
        ? titleOf(decoded(visited))?.slice(0, TITLE_CHARACTERS)
        : undefined;
      const shown = { self: frame, root: this.root };
      const content = await rewritten(visited, (each) => framePath(this.root, each), shown);
      this.#closed.signal.throwIfAborted();
      this.#keep(id, { kind: 'content', ...content });
      view = { ...view, frame, ...(title !== undefined && { title }), ...asksLogin(visited) };
    }
    const { hostname, port } = address;
    const text = visited.outcome === 'page' ? textOf(visited) : undefined;
    const signal = { kind: 'visit', from, url, hostname, port, outcome, ...status } as const;
    onVisit(view, { ...signal, ...(text && { text }) });
    return { view, visited };
  }

  /** Asks for a page when it is its turn, unless too many wait already. @throws QuaysideError TOO_MANY */
  async #ask(
    turns: LimitFunction,
    waitingMost: number,
    address: Address,
    request: PageRequest,
  ): Promise<Asked> {
    if (turns.pendingCount >= waitingMost) {
      throw new QuaysideError(
        'TOO_MANY',
        'The browser pane is still loading too much at once.',
        'Wait for it, then reload the page.',
      );
    }
    return await turns(() => visit(this.#browsing, address, request, this.#closed.signal));
  }

  /** Counts an answer that goes on, until it is closed. @throws QuaysideError TOO_MANY */
  #counted<Stream extends StreamResponse>(stream: Stream): Stream {
    if (this.#streams >= STREAMS_AT_ONCE) {
      stream.body.destroy();
      throw new QuaysideError(
        'TOO_MANY',
        `The browser pane keeps ${STREAMS_AT_ONCE} streams of events and WebSockets open at once.`,
        'Close some of them, then reload the page.',
      );
    }
    this.#streams += 1;
    stream.body.once('close', () => {
      this.#streams -= 1;
    });
    return stream;
  }

  #keep(id: string, page: Content): void {
    this.#pages.set(id, page);
    let bytes = [...this.#pages.values()].reduce((sum, { body }) => sum + body.length, 0);
    for (const [oldest, { body }] of this.#pages) {
      if (this.#pages.size <= PAGES_KEPT && bytes <= PAGES_KEPT_BYTES) break;
      this.#pages.delete(oldest);
      bytes -= body.length;
    }
  }
}

/** An answer that goes on, where a page was asked for, is none. */
function whole(asked: Asked): Visited {
  if (asked.outcome !== 'events' && asked.outcome !== 'socket') return asked;
  asked.body.destroy();
  const { finalUrl, milliseconds } = asked;
  return { outcome: 'broken', finalUrl, milliseconds };
}

/** Whether the page wants a name and a password by the way that a browser has for it (RFC 7617). */
function asksLogin({ status, headers }: PageResponse): { readonly asksLogin?: true } {
  const basic = status === 401 && /\bbasic\b/i.test(headers['www-authenticate'] ?? '');
  return basic ? { asksLogin: true } : {};
}

/** Why no process could be started in the host. An engine that answers says so with a status. */
function noWayIn(host: string, error: unknown): QuaysideError {
  const { statusCode } = error as { statusCode?: unknown };
  const said = typeof statusCode === 'number';
  return new QuaysideError(
    'SANDBOX_FAILED',
    said ? `${host} is not running.` : `The engine that ${host} runs on does not answer.`,
    `Wait until ${host} is ready again, then open the page again. What you have done on the hosts stays.`,
    { cause: error },
  );
}
