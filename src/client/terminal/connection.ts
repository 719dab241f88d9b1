import {
  ACKNOWLEDGE_EVERY,
  type Attention,
  BEAT_MS,
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  type ServerFrame,
  TERMINAL_CLOSE,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { InputQueue } from './input-queue.ts';

/** How the page stands with its terminal. */
export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  /** It was open, and is being opened again: now, or at `next` (ms since 1970). */
  | { readonly state: 'reconnecting'; readonly next: number | undefined }
  | { readonly state: 'exited'; readonly status: number | undefined }
  /** The server lets nobody in, and why. */
  | { readonly state: 'gone'; readonly why: WhyGone };

/**
 * `closed`: there is no such terminal any more. `signed-out`: this browser may not see it; `crowded`: too many pages
 * do (both may change). `version`: the page is older or newer than the server.
 */
export type WhyGone = 'closed' | 'signed-out' | 'crowded' | 'version';

/** What a server that refused a socket says when it is asked why. */
export type Standing = 'there' | 'closed' | 'signed-out' | 'not known';

export type AttachedFrame = Extract<ServerFrame, { type: 'attached' }>;

/** What a connection tells its owner. */
export interface ConnectionListener {
  state(state: ConnectionState): void;
  attached(frame: AttachedFrame): void;
  /** Call `done` when the bytes are on the screen: the program waits for it. */
  output(bytes: Uint8Array, offset: number, done: () => void): void;
  /** The screen is to be cleared; then `preamble` is to be written; output goes on at `offset`. */
  reset(preamble: Uint8Array, offset: number): void;
  size(cols: number, rows: number, yours: boolean): void;
  /** So many bytes that were typed at the beginning of a long cut are not sent any more. */
  givenUp(bytes: number): void;
}

/** The first try comes at once; a struggling server is left alone more and more. */
const RETRY_MS = [0, 250, 500, 1_000, 2_000, 4_000, 8_000] as const;
/** Many pages that lost one server must not all come back in the same instant. */
const JITTER = 0.3;
/** Silence of so many beats is a dead link. */
const SILENT_BEATS = 2.5;
/** What is typed in the first moments of a cut is kept and sent once; later it is refused, so that nobody types blind. */
const KEEP_TYPING_MS = 5_000;
/** What was typed before a longer cut than this (a night's sleep) is not sent any more: nobody expects it to run then. */
const FORGET_TYPING_MS = 60_000;
/** More than anybody types in that time; a paste waits for the link. */
const MOST_TYPED_BLIND = 4 * 1024;
/** A paste beyond this is refused whole. */
const MOST_INPUT = 4 * 1024 * 1024;

/**
 * Keeps one terminal's socket open: comes back by itself when it is lost and goes on at the exact byte, in both
 * directions. Knows neither xterm nor the page.
 */
export class TerminalConnection implements Disposable {
  readonly #url: string;
  readonly #listener: ConnectionListener;
  readonly #ask: () => Promise<Standing>;
  readonly #client = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n;
  readonly #input = new InputQueue();
  #socket: WebSocket | undefined;
  #state: ConnectionState = { state: 'connecting' };
  #attention: Attention;
  #epoch = 0n;
  /** The offset of the next byte to come. */
  #received = 0;
  #acked = 0;
  /** Goes up with every reset, so that late news of old bytes are not taken for new ones. */
  #generation = 0;
  #pending = 0;
  #attempt = 0;
  #downSince = Date.now();
  #typedWhileDown = 0;
  /** By two clocks: one stands still while the machine sleeps, the other can be set. */
  #heard = { monotonic: 0, wall: 0 };
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #wish: { readonly cols: number; readonly rows: number } | undefined;

  /**
   * @param url `ws://` or `wss://`
   * @param ask asks the server about this terminal in another way: a browser does not tell why a socket was refused
   */
  constructor(
    url: string,
    attention: Attention,
    listener: ConnectionListener,
    ask: () => Promise<Standing> = () => Promise.resolve('not known'),
  ) {
    this.#url = url;
    this.#attention = attention;
    this.#listener = listener;
    this.#ask = ask;
    this.#open();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Bytes received so far, over all sockets. */
  get received(): number {
    return this.#received;
  }

  /** Bytes typed since the link was lost, which are sent when it is back. */
  get waiting(): number {
    return this.#state.state === 'reconnecting' ? this.#typedWhileDown : 0;
  }

  /** Types into the shell. `false`: it was refused, because the link has been down for a while or it is too much. */
  type(text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    if (!this.#accepts(bytes.byteLength)) return false;
    this.#input.add(bytes);
    this.#typedWhileDown += bytes.byteLength;
    this.#sendInput();
    return true;
  }

  resize(cols: number, rows: number): void {
    this.#wish = { cols, rows };
    this.#send({ type: 'resize', cols, rows });
  }

  attend(attention: Attention): void {
    if (attention === this.#attention) return;
    this.#attention = attention;
    this.#send({ type: 'attention', attention });
  }

  /** Somebody is looking, or the network is back: do not wait for the next try. */
  hurry(): void {
    if (this.#isFinal()) return;
    if (this.#socket === undefined) {
      this.#attempt = 0;
      if (this.#state.state === 'gone') this.#become({ state: 'reconnecting', next: undefined });
      this.#open();
    } else if (this.#silence() > BEAT_MS * 1.5) {
      // The machine has slept; the socket may not know yet.
      this.#lost();
      this.#open();
    }
  }

  [Symbol.dispose](): void {
    this.#drop();
    clearTimeout(this.#retry);
    this.#state = { state: 'gone', why: 'closed' };
  }

  #accepts(length: number): boolean {
    switch (this.#state.state) {
      case 'open':
        return this.#input.length + length <= MOST_INPUT;
      case 'connecting':
        return this.#input.length + length <= MOST_TYPED_BLIND;
      case 'reconnecting':
        return (
          Date.now() - this.#downSince < KEEP_TYPING_MS &&
          this.#input.length + length <= MOST_TYPED_BLIND
        );
      case 'exited':
      case 'gone':
        return false;
    }
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#state.state === 'reconnecting' && this.#state.next !== undefined) {
      this.#become({ state: 'reconnecting', next: undefined });
    }
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#hear();
    let opened = false;
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      if (this.#silence() > BEAT_MS * SILENT_BEATS) this.#closed(socket, 0, '');
    }, BEAT_MS / 2);
    socket.addEventListener('open', () => {
      opened = true;
      this.#send({
        type: 'hello',
        version: TERMINAL_PROTOCOL_VERSION,
        client: this.#client,
        epoch: this.#epoch,
        offset: this.#received,
        attention: this.#attention,
      });
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#hear();
      this.#onFrame(decodeServerFrame(new Uint8Array(data as ArrayBuffer)));
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (opened) this.#closed(socket, code, reason);
      else void this.#refused(socket);
    });
  }

  /** A socket that never opened: the server is not there, or it does not want us. */
  async #refused(socket: WebSocket): Promise<void> {
    if (socket !== this.#socket) return;
    const standing = await this.#ask().catch(() => 'not known' as const);
    if (standing === 'there' || standing === 'not known') this.#closed(socket, 0, '');
    else if (socket === this.#socket) {
      this.#drop();
      this.#become({ state: 'gone', why: standing });
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

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case 'attached':
        this.#onAttached(frame);
        break;
      case 'output':
        this.#onOutput(frame.bytes, frame.offset);
        break;
      case 'reset':
        this.#generation += 1;
        this.#pending = 0;
        this.#received = frame.offset;
        this.#acked = frame.offset;
        this.#listener.reset(frame.preamble, frame.offset);
        break;
      case 'exit':
        this.#become({ state: 'exited', status: frame.status });
        break;
      case 'beat':
        this.#input.taken(frame.taken);
        this.#sendInput();
        break;
      case 'size':
        this.#listener.size(frame.cols, frame.rows, frame.yours);
        break;
    }
  }

  #onAttached(frame: AttachedFrame): void {
    const late =
      this.#state.state === 'reconnecting' && Date.now() - this.#downSince > FORGET_TYPING_MS;
    if (frame.epoch === this.#epoch) {
      if (!late) this.#input.resume(frame.taken);
    } else {
      this.#input.restart(frame.taken);
      this.#generation += 1;
      this.#pending = 0;
      this.#received = 0;
    }
    const givenUp = late ? this.#input.forget(frame.taken) : 0;
    this.#epoch = frame.epoch;
    this.#acked = this.#received;
    this.#attempt = 0;
    this.#listener.attached(frame);
    this.#become({ state: 'open' });
    if (givenUp > 0) this.#listener.givenUp(givenUp);
    if (this.#wish && this.#attention !== 'hidden') this.#send({ type: 'resize', ...this.#wish });
    this.#sendInput();
  }

  #onOutput(bytes: Uint8Array, offset: number): void {
    if (offset !== this.#received) {
      // Never shown wrong: rather all of it once more.
      this.#epoch = 0n;
      this.#lost();
      this.#open();
      return;
    }
    this.#received = offset + bytes.byteLength;
    const end = this.#received;
    const generation = this.#generation;
    this.#pending += 1;
    this.#listener.output(bytes, offset, () => {
      if (generation !== this.#generation) return;
      this.#pending -= 1;
      if (end <= this.#acked || (this.#pending > 0 && end - this.#acked < ACKNOWLEDGE_EVERY))
        return;
      this.#acked = end;
      this.#send({ type: 'ack', offset: end });
    });
  }

  #sendInput(): void {
    if (this.#state.state !== 'open') return;
    for (let piece = this.#input.next(); piece; piece = this.#input.next()) {
      this.#send({ type: 'input', ...piece });
    }
  }

  #send(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeClientFrame(frame));
  }

  #closed(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#lost();
    switch (code) {
      case TERMINAL_CLOSE.exited:
        return;
      case TERMINAL_CLOSE.gone:
        this.#become({ state: 'gone', why: 'closed' });
        return;
      case TERMINAL_CLOSE.version:
        this.#become({ state: 'gone', why: 'version' });
        return;
      case TERMINAL_CLOSE.crowded:
        this.#become({ state: 'gone', why: 'crowded' });
        return;
      case TERMINAL_CLOSE.badFrame:
        // We and the server disagree about what went before: begin afresh.
        console.warn(`Quayside: the terminal's server refused a frame: ${reason}`);
        this.#epoch = 0n;
        this.#attempt = Math.max(this.#attempt, 2);
        break;
    }
    if (this.#state.state === 'exited' || this.#state.state === 'gone') return;
    const least = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)] ?? 0;
    const wait = least * (1 + JITTER * Math.random());
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#open(), wait);
    if (this.#state.state === 'reconnecting') {
      this.#become({ state: 'reconnecting', next: Date.now() + wait });
    }
  }

  #lost(): void {
    this.#drop();
    if (this.#state.state === 'open') {
      this.#downSince = Date.now();
      this.#typedWhileDown = 0;
      this.#become({ state: 'reconnecting', next: undefined });
    }
  }

  #drop(): void {
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** Nothing that may happen brings it back. */
  #isFinal(): boolean {
    if (this.#state.state !== 'gone') return this.#state.state === 'exited';
    return this.#state.why === 'closed' || this.#state.why === 'version';
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#listener.state(state);
  }
}
