import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { encodeStreamEvent, type StreamKind, type UpMessage } from '#protocol';
import { httpError } from '../http-errors.ts';
import type { Link } from './link.ts';

/** A stream that carries no link for so long is no page's. */
const EMPTY_MS = 10_000;
/** As of a WebSocket (RFC 6455, 7.1.5): it ended without a word, or the page closed it. */
const BROKEN = 1006;
const NO_CODE = 1005;
const OPEN = 1;
const CLOSED = 3;

/** The stream of one page: an answer that does not end, with all links of the page in it. */
export class HttpStream {
  readonly #response: ServerResponse;
  readonly #links = new Map<number, HttpLink>();
  #taken = 0;
  #empty: NodeJS.Timeout | undefined;

  /** @param key known to its page alone */
  constructor(response: ServerResponse, key: string) {
    this.#response = response;
    this.write('key', 0, key);
    this.#awaitLink();
    response.once('close', () => {
      clearTimeout(this.#empty);
      for (const link of this.#links.values()) link.end(BROKEN, '');
    });
  }

  get links(): Iterable<HttpLink> {
    return this.#links.values();
  }

  /**
   * A new link of this page.
   *
   * @param number the page's own for it
   * @throws QuaysideError NOT_FOUND where the page has gone, or has such a link
   */
  open(number: number, owner: string): HttpLink {
    if (this.#response.closed || this.#links.has(number)) throw httpError('NOT_FOUND');
    const link = new HttpLink(this, number, owner);
    clearTimeout(this.#empty);
    this.#links.set(number, link);
    link.once('close', () => {
      this.#links.delete(number);
      if (this.#links.size === 0) this.#awaitLink();
    });
    return link;
  }

  /**
   * Takes what the page has sent, each request once and in its order. Any is a sign of life.
   *
   * @param sequence counts the requests of the stream, from 1 on
   * @param isOwner whether whoever sent it is the owner of a link
   * @throws QuaysideError NOT_FOUND where one is missing, or a link is somebody else's
   */
  take(sequence: number, messages: readonly UpMessage[], isOwner: (of: string) => boolean): void {
    // A proxy may send a request again whose answer it has lost.
    if (sequence <= this.#taken) return;
    if (sequence !== this.#taken + 1) throw httpError('NOT_FOUND');
    this.#taken = sequence;
    for (const link of this.#links.values()) link.emit('pong');
    for (const { link: number, bytes } of messages) {
      const link = this.#links.get(number);
      // One that has just been closed.
      if (!link) continue;
      if (!isOwner(link.owner)) throw httpError('NOT_FOUND');
      if (bytes === undefined) link.end(NO_CODE, '');
      else link.emit('message', Buffer.from(bytes, 'base64'), true);
    }
  }

  write(kind: StreamKind, link: number, payload: string, sent?: () => void): void {
    this.#response.write(encodeStreamEvent({ kind, link, payload }), sent);
  }

  /** Says goodbye on each of its links, and ends. */
  close(code: number, reason: string): void {
    for (const link of this.#links.values()) link.close(code, reason);
    this.#response.end();
  }

  #awaitLink(): void {
    clearTimeout(this.#empty);
    if (!this.#response.closed) this.#empty = setTimeout(() => this.#response.end(), EMPTY_MS);
  }
}

/** A link that its page's stream carries, with the limits of a WebSocket. */
export class HttpLink extends EventEmitter implements Link {
  readonly OPEN = OPEN;
  readonly owner: string;
  readonly #stream: HttpStream;
  readonly #number: number;
  #buffered = 0;
  #state = OPEN;

  constructor(stream: HttpStream, number: number, owner: string) {
    super();
    this.#stream = stream;
    this.#number = number;
    this.owner = owner;
  }

  get readyState(): number {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  send(data: string | Uint8Array, sent: () => void = () => undefined): void {
    if (this.#state !== OPEN) return;
    const isText = typeof data === 'string';
    const payload = isText ? data : Buffer.from(data).toString('base64');
    this.#buffered += payload.length;
    this.#stream.write(isText ? 'text' : 'bytes', this.#number, payload, () => {
      this.#buffered -= payload.length;
      sent();
    });
  }

  close(code: number, reason: string): void {
    if (this.#state !== OPEN) return;
    this.#stream.write('close', this.#number, `${code} ${reason}`);
    this.end(code, reason);
  }

  terminate(): void {
    this.close(BROKEN, '');
  }

  /** Each request of the page is its pong. */
  ping(): void {}

  /** Nothing more goes either way. Whoever closes it hears of it in a later turn, as of a WebSocket. */
  end(code: number, reason: string): void {
    if (this.#state !== OPEN) return;
    this.#state = CLOSED;
    setImmediate(() => this.emit('close', code, Buffer.from(reason)));
  }
}
