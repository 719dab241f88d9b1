/** How a socket was lost. */
export interface Loss {
  /** The close code; 0 where the server fell silent without a close. */
  readonly code: number;
  readonly reason: string;
}

/** What a socket's owner is told, and asked. */
export interface ReconnectingSocketListener {
  /** The server has let the socket in. */
  opened?(): void;
  message(data: unknown): void;
  /**
   * An open socket was lost, or one that was to open has never heard from the server.
   *
   * @returns whether it is to be opened again
   */
  lost(loss: Loss): boolean;
  /**
   * The server did not let the socket in, or is not there. A browser does not tell which, so that the owner may ask in
   * another way.
   *
   * @param signal aborted when the answer is of no use any more
   * @returns whether to try again
   */
  refused(signal: AbortSignal): Promise<boolean>;
  /** It is opened again at `next` (ms since 1970), or now. */
  waiting?(next: number | undefined): void;
}

export interface ReconnectingSocketOptions {
  /** `ws://` or `wss://` */
  readonly url: string;
  /** The server says something at least once in so many ms. */
  readonly beatMs: number;
  readonly listener: ReconnectingSocketListener;
}

type State =
  | { readonly kind: 'opening' | 'open'; readonly socket: WebSocket }
  | { readonly kind: 'refused'; readonly asking: AbortController }
  | { readonly kind: 'waiting'; readonly timer: ReturnType<typeof setTimeout> }
  /** The owner wants no more; it may want again. */
  | { readonly kind: 'stopped' };

/**
 * The first try comes at once; a struggling server is left alone more and more. Nobody waits longer than the last of
 * these for a server that is back.
 */
const RETRY_MS = [0, 250, 500, 1_000, 2_000, 3_500, 5_000] as const;
/** Many pages that lost one server must not all come back in the same instant. */
const JITTER = 0.3;
/** Silence of so many beats is a dead link. One late beat is none. */
const SILENT_BEATS = 2.5;
/** Whoever looks again after so much silence does not wait for the rest. */
const HURRIED_BEATS = 1.5;
/** How often in a beat the silence is looked at. */
const LOOKS_PER_BEAT = 4;
/** A server that is there answers an upgrade within a second; a line that swallows everything never does. */
const OPEN_MS = 4_000;
/** The server met a defect at this socket (RFC 6455, 7.4.1). */
const DEFECT_CODE = 1011;
/** A defect sooner than this after the link was good will come again: the server is not to be asked over and over at once. */
const GOOD_MS = 2_000;

/**
 * Keeps a WebSocket open: notices that the server has fallen silent, comes back by itself when the socket is lost, and
 * leaves a struggling server alone. It knows nothing of what is said.
 */
export class ReconnectingSocket implements Disposable {
  readonly #options: ReconnectingSocketOptions;
  #state: State = { kind: 'stopped' };
  /** Tries since the link was last good. */
  #tries = 0;
  #goodSince: number | undefined;
  /** By two clocks: one stands still while the machine sleeps, the other can be set. */
  #heard = { monotonic: 0, wall: 0 };
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    this.#open();
  }

  /** Sends, if the socket is open just now. */
  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#state.kind === 'open') this.#state.socket.send(data);
  }

  /** The owner has got what it came for: the link is good. */
  established(): void {
    this.#goodSince = performance.now();
  }

  /** Somebody is looking, or the network is back: do not wait for the next try. */
  hurry(): void {
    const { kind } = this.#state;
    const isUnderWay = kind !== 'waiting' && kind !== 'stopped';
    // After more silence than this the machine has slept; the socket may not know yet.
    if (isUnderWay && this.#silence() <= this.#options.beatMs * HURRIED_BEATS) return;
    this.#tries = 0;
    if (kind === 'open') this.#options.listener.lost({ code: 0, reason: '' });
    this.#open();
  }

  /** What came makes no sense to the owner: everything once more, over a new socket. */
  reopen(): void {
    this.#open();
  }

  [Symbol.dispose](): void {
    this.#drop();
  }

  #open(): void {
    this.#drop();
    const { url, beatMs, listener } = this.#options;
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#state = { kind: 'opening', socket };
    this.#hear();
    this.#watch = setInterval(() => {
      const most = this.#state.kind === 'opening' ? OPEN_MS : beatMs * SILENT_BEATS;
      if (this.#silence() < most) return;
      if (this.#state.kind === 'opening') void this.#refused();
      else this.#lost(socket, { code: 0, reason: '' });
    }, beatMs / LOOKS_PER_BEAT);
    socket.addEventListener('open', () => {
      if (!this.#holds(socket)) return;
      this.#state = { kind: 'open', socket };
      this.#hear();
      listener.opened?.();
    });
    socket.addEventListener('message', ({ data }) => {
      if (!this.#holds(socket)) return;
      this.#hear();
      listener.message(data);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (!this.#holds(socket)) return;
      if (this.#state.kind === 'open') this.#lost(socket, { code, reason });
      else void this.#refused();
    });
  }

  #holds(socket: WebSocket): boolean {
    const state = this.#state;
    return (state.kind === 'opening' || state.kind === 'open') && state.socket === socket;
  }

  #lost(socket: WebSocket, loss: Loss): void {
    if (!this.#holds(socket)) return;
    this.#drop();
    if (this.#wasGood(loss)) this.#tries = 0;
    this.#goodSince = undefined;
    if (this.#options.listener.lost(loss)) this.#wait();
  }

  /** Never throws, and settles within {@link OPEN_MS}: a line that swallows everything swallows this answer too. */
  async #refused(): Promise<void> {
    this.#drop();
    const asking = new AbortController();
    this.#state = { kind: 'refused', asking };
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(true), OPEN_MS);
    const again = await Promise.race([
      this.#options.listener.refused(asking.signal).catch(() => true),
      late.promise,
    ]);
    clearTimeout(timer);
    if (this.#state.kind !== 'refused' || this.#state.asking !== asking) return;
    asking.abort();
    this.#state = { kind: 'stopped' };
    if (again) this.#wait();
  }

  #wait(): void {
    const least = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)] ?? 0;
    const wait = least * (1 + JITTER * Math.random());
    this.#tries += 1;
    const timer = setTimeout(() => {
      this.#options.listener.waiting?.(undefined);
      this.#open();
    }, wait);
    this.#state = { kind: 'waiting', timer };
    this.#options.listener.waiting?.(Date.now() + wait);
  }

  /** A line that was cut is tried again at once, however often it is cut. */
  #wasGood({ code }: Loss): boolean {
    if (this.#goodSince === undefined) return false;
    return code !== DEFECT_CODE || performance.now() - this.#goodSince >= GOOD_MS;
  }

  /** Lets go of what the state holds, and stops. */
  #drop(): void {
    clearInterval(this.#watch);
    const state = this.#state;
    this.#state = { kind: 'stopped' };
    switch (state.kind) {
      case 'opening':
      case 'open':
        state.socket.close();
        break;
      case 'refused':
        state.asking.abort();
        break;
      case 'waiting':
        clearTimeout(state.timer);
        break;
      case 'stopped':
    }
  }

  #hear(): void {
    this.#heard = { monotonic: performance.now(), wall: Date.now() };
  }

  /** Since the server last said something (ms); a sleep of this machine counts. */
  #silence(): number {
    const { monotonic, wall } = this.#heard;
    return Math.max(performance.now() - monotonic, Date.now() - wall);
  }
}

/** Calls `hurry` when the network is back, or somebody comes back to this page, until `signal` is aborted. */
export function onReturn(hurry: () => void, signal: AbortSignal): void {
  addEventListener('online', hurry, { signal });
  addEventListener('focus', hurry, { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') hurry();
    },
    { signal },
  );
}
