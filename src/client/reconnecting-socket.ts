import { detour } from './detour.ts';
import { overHttp } from './http-transport.ts';
import { type Dial, type Loss, overWebSocket, type Transport } from './transport.ts';

export type { Loss } from './transport.ts';

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
  /** A path on this server, or a whole address. */
  readonly url: string;
  /** The server says something at least once in so many ms. */
  readonly beatMs: number;
  readonly listener: ReconnectingSocketListener;
}

type State =
  | { readonly kind: 'opening' | 'open'; readonly transport: Transport; readonly dial: Dial }
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
/** The silence is looked at once it may be too long, and once in so many beats: a timer stands still while the machine sleeps. */
const LOOK_BEATS = 0.5;
/** A server that is there lets a link in, and says something, within a second; a line that swallows all never does. */
const OPEN_MS = 4_000;
/** A link that ended without a close (RFC 6455, 7.1.5). */
const BROKEN_CODE = 1006;
/** The server met a defect at this socket (RFC 6455, 7.4.1). */
const DEFECT_CODE = 1011;
/** A defect sooner than this after the link was good will come again: the server is not to be asked over and over at once. */
const GOOD_MS = 2_000;

/**
 * Keeps a link open: a WebSocket, or one over HTTP where the network stops these. Notices that the server has fallen
 * silent, comes back by itself when the link is lost, and leaves a struggling server alone. It knows nothing of what is
 * said.
 */
export class ReconnectingSocket implements Disposable {
  readonly #options: ReconnectingSocketOptions;
  #state: State = { kind: 'stopped' };
  /** Tries since the link was last good. */
  #tries = 0;
  #goodSince: number | undefined;
  /** By two clocks: one stands still while the machine sleeps, the other can be set. */
  #heard = { monotonic: 0, wall: 0 };
  /** The present link has heard something. */
  #hasHeard = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  readonly #ending = new AbortController();

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    detour.subscribe(() => this.#leaveDetour(), this.#ending.signal);
    this.#open();
  }

  /** Sends, if the socket is open just now. */
  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#state.kind === 'open') this.#state.transport.send(data);
  }

  /** The owner has got what it came for: the link is good. */
  established(): void {
    this.#goodSince = performance.now();
    if (this.#state.kind === 'open' && this.#state.dial === overHttp) detour.take();
  }

  /** Somebody is looking, or the network is back: do not wait for the next try. */
  hurry(): void {
    const { kind } = this.#state;
    const isUnderWay = kind !== 'waiting' && kind !== 'stopped';
    // After more silence than this the machine has slept; the socket may not know yet.
    if (isUnderWay && this.#silence() <= this.#options.beatMs * HURRIED_BEATS) return;
    this.#tries = 0;
    const wasGood = this.#goodSince !== undefined;
    this.#goodSince = undefined;
    if (wasGood || kind === 'open') this.#options.listener.lost({ code: 0, reason: '' });
    this.#open();
  }

  /** What came makes no sense to the owner: everything once more, over a new socket. */
  reopen(): void {
    this.#goodSince = undefined;
    this.#open();
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#drop();
  }

  #open(dial = detour.dial): void {
    this.#drop();
    const { url, listener } = this.#options;
    this.#hasHeard = false;
    const transport = dial(url, {
      opened: () => {
        if (!this.#holds(transport)) return;
        this.#state = { kind: 'open', transport, dial };
        this.#hear();
        listener.opened?.();
      },
      message: (data) => {
        if (!this.#holds(transport)) return;
        this.#hasHeard = true;
        this.#hear();
        listener.message(data);
      },
      closed: (loss) => {
        if (!this.#holds(transport)) return;
        // Some networks let a socket in and cut it at once.
        const isLost = this.#hasHeard || loss.code !== BROKEN_CODE;
        if (this.#state.kind === 'open' && isLost) this.#lost(transport, loss);
        else this.#notLetIn(dial);
      },
    });
    this.#state = { kind: 'opening', transport, dial };
    this.#hear();
    this.#look(transport, dial);
  }

  /** Gives up a link whose server has been silent for too long, or looks again when it may have been. */
  #look(transport: Transport, dial: Dial): void {
    const { beatMs } = this.#options;
    const left = (this.#hasHeard ? beatMs * SILENT_BEATS : OPEN_MS) - this.#silence();
    if (left > 0) {
      const wait = Math.min(left, beatMs * LOOK_BEATS);
      this.#watch = setTimeout(() => this.#look(transport, dial), wait);
    } else if (this.#hasHeard) this.#lost(transport, { code: 0, reason: '' });
    else this.#notLetIn(dial);
  }

  #holds(transport: Transport): boolean {
    const state = this.#state;
    return (state.kind === 'opening' || state.kind === 'open') && state.transport === transport;
  }

  #lost(transport: Transport, loss: Loss): void {
    if (!this.#holds(transport)) return;
    this.#drop();
    if (this.#wasGood(loss)) this.#tries = 0;
    this.#goodSince = undefined;
    if (this.#options.listener.lost(loss)) this.#wait();
  }

  /** The network may stop WebSockets alone. */
  #notLetIn(dial: Dial): void {
    if (dial === overWebSocket) this.#open(overHttp);
    else void this.#refused();
  }

  /** WebSockets come through again. */
  #leaveDetour(): void {
    const { kind } = this.#state;
    if ((kind !== 'opening' && kind !== 'open') || this.#state.dial === detour.dial) return;
    if (detour.dial === overWebSocket) this.#open();
  }

  /** Never throws, and settles within {@link OPEN_MS}: a line that swallows everything swallows this answer too. */
  async #refused(): Promise<void> {
    this.#drop();
    // It was good until it was opened anew, over another kind of link.
    if (this.#goodSince !== undefined) {
      this.#goodSince = undefined;
      if (!this.#options.listener.lost({ code: 0, reason: '' })) return;
    }
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
    clearTimeout(this.#watch);
    const state = this.#state;
    this.#state = { kind: 'stopped' };
    switch (state.kind) {
      case 'opening':
      case 'open':
        state.transport.close();
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
  addEventListener('online', () => detour.hurry(), { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') hurry();
    },
    { signal },
  );
}
