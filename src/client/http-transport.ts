import {
  decodeStreamEvent,
  EVENT_BEAT_MS,
  MAX_UP_BYTES,
  STREAM_PATH,
  type UpMessage,
} from '#protocol';
import { serverUrl } from './request.ts';
import type { Dial, Transport, TransportListener } from './transport.ts';

/** As a browser says of a socket that ended without a word (RFC 6455, 7.1.5). */
const BROKEN = { code: 1006, reason: '' } as const;
/** After so much silence a stream may be dead: a new link gets a new one. Each link has a beat. */
const STALE_MS = 1.5 * EVENT_BEAT_MS;
/** Whoever has sent nothing for so long says that it is there. */
const SIGN_MS = EVENT_BEAT_MS / 2;
/** For the server to take what was sent. */
const POST_MS = 15_000;

interface Link {
  readonly listener: TransportListener;
  isOpen: boolean;
}

/** One stream for all links of a page: browsers hold six connections to a server and no more. */
let present: HttpStream | undefined;

/** The way that links go where the network stops WebSockets. */
export const overHttp: Dial = (url, listener) => {
  if (present?.isStale) present.end();
  present ??= new HttpStream(() => {
    present = undefined;
  });
  return present.link(url, listener);
};

/** The links of this page in one stream of events down, and one request up at a time. */
class HttpStream {
  readonly #onEnd: () => void;
  readonly #ending = new AbortController();
  readonly #key = Promise.withResolvers<string>();
  readonly #links = new Map<number, Link>();
  readonly #waiting: UpMessage[] = [];
  #next = 1;
  #sequence = 0;
  #heard = Date.now();
  #posted = Date.now();
  #isPosting = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#key.promise.catch(() => undefined);
    void this.#read()
      .catch(() => undefined)
      .then(() => this.end());
  }

  get isStale(): boolean {
    return Date.now() - this.#heard >= STALE_MS;
  }

  link(url: string, listener: TransportListener): Transport {
    const number = this.#next;
    this.#next += 1;
    this.#links.set(number, { listener, isOpen: false });
    void this.#ask(number, url);
    return {
      send: (data) => this.#send({ link: number, bytes: base64(data) }),
      close: () => this.#close(number),
    };
  }

  end(): void {
    if (this.#ending.signal.aborted) return;
    this.#onEnd();
    this.#ending.abort();
    this.#key.reject(new Error('the stream has ended'));
    for (const number of [...this.#links.keys()]) this.#lose(number, BROKEN);
  }

  async #read(): Promise<void> {
    const { signal } = this.#ending;
    const { ok, body } = await fetch(serverUrl(STREAM_PATH), { method: 'POST', signal });
    if (!ok || !body) return;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#heard = Date.now();
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
      // Asked by what comes and by no timer of its own: those of a page that is not looked at hardly run.
      if (this.#heard - this.#posted >= SIGN_MS) void this.#post();
    }
  }

  #take(block: string): void {
    const event = decodeStreamEvent(block);
    if (!event) return;
    const { kind, link: number, payload } = event;
    if (kind === 'key') {
      this.#key.resolve(payload);
      return;
    }
    // What the server says first may be here before its answer that it has opened the link.
    this.#opened(number);
    const link = this.#links.get(number);
    if (!link) return;
    if (kind === 'text') link.listener.message(payload);
    else if (kind === 'bytes') link.listener.message(bytesOf(payload).buffer);
    else {
      const [, code, reason = ''] = /^(\d+) (.*)$/.exec(payload) ?? [];
      this.#lose(number, { code: Number(code), reason });
    }
  }

  async #ask(number: number, url: string): Promise<void> {
    try {
      const key = await this.#key.promise;
      if (!this.#links.has(number)) return;
      const address = new URL(serverUrl(url));
      address.search = String(new URLSearchParams({ stream: key, link: String(number) }));
      const { signal } = this.#ending;
      const { ok } = await fetch(address, { method: 'POST', signal });
      if (!ok) this.#lose(number, BROKEN);
      else if (this.#links.has(number)) this.#opened(number);
      else this.#send({ link: number });
    } catch {
      this.#lose(number, BROKEN);
    }
  }

  #opened(number: number): void {
    const link = this.#links.get(number);
    if (!link || link.isOpen) return;
    link.isOpen = true;
    link.listener.opened();
  }

  #lose(number: number, loss: { readonly code: number; readonly reason: string }): void {
    const link = this.#links.get(number);
    if (!link) return;
    this.#links.delete(number);
    link.listener.closed(loss);
    if (this.#links.size === 0) this.end();
  }

  #close(number: number): void {
    const link = this.#links.get(number);
    if (!link) return;
    this.#links.delete(number);
    if (this.#links.size === 0) this.end();
    else if (link.isOpen) this.#send({ link: number });
  }

  #send(message: UpMessage): void {
    this.#waiting.push(message);
    if (!this.#isPosting) void this.#post();
  }

  /** Sends all that waits; nothing where nothing does, as a sign of life. What is sent meanwhile goes in the next request. */
  async #post(): Promise<void> {
    if (this.#isPosting) return;
    this.#isPosting = true;
    try {
      const address = serverUrl(`${STREAM_PATH}/${await this.#key.promise}`);
      do {
        this.#sequence += 1;
        this.#posted = Date.now();
        const { ok } = await fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ sequence: this.#sequence, messages: this.#nextMessages() }),
          signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(POST_MS)]),
        });
        // Whether it has arrived is for the links to find out, over another stream.
        if (!ok) throw new Error('refused');
      } while (this.#waiting.length > 0);
    } catch {
      this.end();
    }
    this.#isPosting = false;
  }

  #nextMessages(): readonly UpMessage[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((message) => {
      bytes += message.bytes?.length ?? 0;
      return bytes > MAX_UP_BYTES;
    });
    // One alone always fits.
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(1, end));
  }
}

function base64(bytes: Uint8Array): string {
  // No frame of a page is so long that its bytes would be too many arguments.
  return btoa(String.fromCharCode(...bytes));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
