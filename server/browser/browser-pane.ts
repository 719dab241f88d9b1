import { randomBytes } from 'node:crypto';
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
  parseAddress,
} from './address.ts';
import { decoded, type FrameContent, isHtml, rewritten } from './html-page.ts';
import type { Dial, PageRequest } from './page-request.ts';
import { titleOf } from './rewrite.ts';
import { type Visited, visit } from './visit.ts';

/** Pages that stay to be shown again, by the pane's back and forward; the oldest goes first. */
const PAGES_KEPT = 8;
/** All kept pages of one learner together: a class of fifty must not fill the memory with pictures. */
const PAGES_KEPT_BYTES = 10 * 1024 * 1024;
/** As many connections as a browser makes to one server; a page with more parts than that waits its turn. */
const PARTS_AT_ONCE = 6;
const PARTS_WAITING = 200;
const VISITS_AT_ONCE = 4;
const VISITS_WAITING = 8;
/** Longer titles are cut, as a tab would. */
const TITLE_CHARACTERS = 200;

type VisitSignal = Extract<SignalBody, { kind: 'visit' }>;

export interface BrowserPaneOptions {
  /** The host whose network the pane looks from, as the learner knows it. */
  readonly from: string;
  /** Starts a process in that host. */
  readonly dial: Dial;
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
  | { readonly kind: 'moved'; readonly path: string }
  | { readonly kind: 'failed'; readonly url: string; readonly outcome: Visited['outcome'] }
  | { readonly kind: 'gone' };

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

  constructor(options: BrowserPaneOptions) {
    this.#options = options;
  }

  /** The path that everything of this pane is below. */
  get root(): string {
    return paneRoot(this.key);
  }

  /**
   * Opens an address as typed. How it went is in the answer, and has been told to `onVisit`.
   *
   * @throws QuaysideError BAD_ADDRESS, TOO_MANY, SESSION_NOT_READY once the pane is closed
   */
  async visit(typed: string): Promise<VisitView> {
    return (await this.#visit(parseAddress(typed), { method: 'GET', accept: 'text/html,*/*' }))
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
    const part = await this.#ask(this.#parts, PARTS_WAITING, address, request);
    if (part.outcome !== 'page') {
      return { kind: 'failed', url: part.finalUrl.href, outcome: part.outcome };
    }
    const content = await rewritten(part, (url) => framePath(this.key, url));
    return { kind: 'content', ...content };
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
    const visited = await this.#ask(this.#visits, VISITS_WAITING, address, request);
    const id = randomBytes(9).toString('base64url');
    const url = address.url.href;
    const { outcome, milliseconds } = visited;
    const status = visited.outcome === 'page' ? { status: visited.status } : {};
    let view: VisitView = { id, url, from, outcome, ...status, milliseconds };
    if (visited.outcome === 'page') {
      const frame = pagePath(this.key, id);
      const title = isHtml(visited)
        ? titleOf(decoded(visited))?.slice(0, TITLE_CHARACTERS)
        : undefined;
      const content = await rewritten(visited, (each) => framePath(this.key, each), frame);
      this.#closed.signal.throwIfAborted();
      this.#keep(id, { kind: 'content', ...content });
      view = { ...view, frame, ...(title === undefined ? {} : { title }) };
    }
    const { hostname, port } = address;
    onVisit(view, { kind: 'visit', from, url, hostname, port, outcome, ...status });
    return { view, visited };
  }

  /** Asks for a page when it is its turn, unless too many wait already. @throws QuaysideError TOO_MANY */
  async #ask(
    turns: LimitFunction,
    waitingMost: number,
    address: Address,
    request: PageRequest,
  ): Promise<Visited> {
    if (turns.pendingCount >= waitingMost) {
      throw new QuaysideError(
        'TOO_MANY',
        'The browser pane is still loading too much at once.',
        'Wait for it, then reload the page.',
      );
    }
    return await turns(() => visit(this.#options.dial, address, request, this.#closed.signal));
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
