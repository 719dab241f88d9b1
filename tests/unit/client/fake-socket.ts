import { vi } from 'vitest';

/** A browser's WebSocket, with its server's side in the test's hands. */
export class FakeSocket extends EventTarget {
  /** Every socket that was asked for, in order. */
  static readonly all: FakeSocket[] = [];
  readonly url: string;
  readonly sent: unknown[] = [];
  binaryType = '';
  closed = false;

  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    const last = FakeSocket.all.at(-1);
    if (!last) throw new Error('no socket was asked for');
    return last;
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  /** The server lets it in. */
  accept(): this {
    this.dispatchEvent(new Event('open'));
    return this;
  }

  says(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  tells(event: object): void {
    this.says(JSON.stringify(event));
  }

  /** The server closes it, or does not let it in. */
  ends(code = 1006, reason = ''): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }
}

/** A page around the socket: virtual time, a document, a window that goes online, and no answer to anything over HTTP. */
export function fakePage() {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  FakeSocket.all.length = 0;
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no answer')));
  vi.stubGlobal('document', document);
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
  vi.stubGlobal('location', { href: 'http://127.0.0.1:4321/labs/docker-networking/' });
  return {
    goOnline: () => window.dispatchEvent(new Event('online')),
    look: () => document.dispatchEvent(new Event('visibilitychange')),
    /** The lid is closed for so long: the clock on the wall goes on, and no timer runs. */
    sleep: (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds),
    [Symbol.dispose]: () => {
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
      vi.useRealTimers();
    },
  };
}
