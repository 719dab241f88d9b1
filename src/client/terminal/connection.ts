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
import { type Loss, ReconnectingSocket } from '../reconnecting-socket.ts';
import { InputQueue } from './input-queue.ts';
import { RoundTrip } from './round-trip.ts';

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

/** Why what was typed is not taken. */
export type Refusal =
  /** There is no shell any more, or this page may not type into it. */
  | { readonly why: 'over' }
  | { readonly why: 'away' }
  /** Bytes: of what was typed, of what is still on its way, and of what both may have together. */
  | {
      readonly why: 'too much';
      readonly bytes: number;
      readonly waiting: number;
      readonly most: number;
    };

/** What a server that refused a socket says when it is asked why. */
export type Standing = 'there' | 'closed' | 'signed-out' | 'not known';

export type AttachedFrame = Extract<ServerFrame, { type: 'attached' }>;
export type OlderFrame = Extract<ServerFrame, { type: 'older' }>;

/** What a connection tells its owner. */
export interface ConnectionListener {
  state(state: ConnectionState): void;
  attached(frame: AttachedFrame): void;
  /** Call `done` when the bytes are on the screen: the program waits for it. */
  output(bytes: Uint8Array, offset: number, done: () => void): void;
  /** The screen is to be cleared; then `preamble` is to be written; output goes on at `offset`. */
  reset(preamble: Uint8Array, offset: number): void;
  /**
   * The answer to {@link TerminalConnection.fetch}; none comes over a link that was lost meanwhile. Where this is left out,
   * replays are of all that is kept.
   */
  older?(frame: OlderFrame): void;
  size(cols: number, rows: number, yours: boolean): void;
  /** So many bytes that were typed at the beginning of a long cut are not sent any more. */
  givenUp(bytes: number): void;
}

/** What is typed in the first moments of a cut is kept and sent once; later it is refused, so that nobody types blind. */
const KEEP_TYPING_MS = 5_000;
/** What was typed before a longer cut than this (a night's sleep) is not sent any more: nobody expects it to run then. */
const FORGET_TYPING_MS = 60_000;
/** More than anybody types in that time; a paste waits for the link. */
const MOST_TYPED_BLIND = 4 * 1024;
/** A replay begins with so much: some screens full, a quarter of a second at 1 Mbit/s. */
const NEWEST_BYTES = 32 * 1024;
/** A paste beyond this is refused whole. */
const MOST_INPUT = 4 * 1024 * 1024;

/**
 * Keeps one terminal's socket open: comes back by itself when it is lost and goes on at the exact byte, in both
 * directions. Knows neither xterm nor the page.
 */
export class TerminalConnection implements Disposable {
  /** Of hello and what answers it; whoever knows of other such pairs adds them. */
  readonly roundTrip = new RoundTrip();
  readonly #listener: ConnectionListener;
  readonly #ask: () => Promise<Standing>;
  readonly #client = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n;
  readonly #input = new InputQueue();
  readonly #socket: ReconnectingSocket;
  #state: ConnectionState = { state: 'connecting' };
  #attention: Attention;
  #epoch = 0n;
  /** The offset of the next byte to come. */
  #received = 0;
  #acked = 0;
  /** Goes up with every reset, so that late news of old bytes are not taken for new ones. */
  #generation = 0;
  #pending = 0;
  #downSince = Date.now();
  #typedWhileDown = 0;
  #wish: { readonly cols: number; readonly rows: number } | undefined;

  /**
   * @param url a path on this server, or a whole address
   * @param ask asks the server about this terminal in another way: a browser does not tell why a socket was refused
   */
  constructor(
    url: string,
    attention: Attention,
    listener: ConnectionListener,
    ask: () => Promise<Standing> = () => Promise.resolve('not known'),
  ) {
    this.#attention = attention;
    this.#listener = listener;
    this.#ask = ask;
    this.#socket = new ReconnectingSocket({
      url,
      beatMs: BEAT_MS,
      listener: {
        opened: () => this.#hello(),
        message: (data) => this.#onFrame(decodeServerFrame(new Uint8Array(data as ArrayBuffer))),
        lost: (loss) => this.#onLost(loss),
        refused: (late) => this.#refused(late),
        waiting: (next) => {
          if (this.#state.state === 'reconnecting') this.#become({ state: 'reconnecting', next });
        },
      },
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Bytes received so far, over all sockets. */
  get received(): number {
    return this.#received;
  }

  /** Characters typed since the link was lost, which are sent when it is back. */
  get waiting(): number {
    return this.#state.state === 'reconnecting' ? this.#typedWhileDown : 0;
  }

  /** Types into the shell. `false`: it was refused, because the link has been down for a while or it is too much. */
  type(text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    if (!this.#accepts(bytes.byteLength)) return false;
    this.#input.add(bytes);
    if (this.#state.state === 'reconnecting') this.#typedWhileDown += [...text].length;
    this.#sendInput();
    return true;
  }

  /** Why {@link TerminalConnection.type} has just refused a text. */
  whyRefused(text: string): Refusal {
    const { state } = this.#state;
    if (state === 'exited' || state === 'gone') return { why: 'over' };
    const isLate = state === 'reconnecting' && Date.now() - this.#downSince >= KEEP_TYPING_MS;
    if (isLate) return { why: 'away' };
    const bytes = new TextEncoder().encode(text).byteLength;
    const most = state === 'open' ? MOST_INPUT : MOST_TYPED_BLIND;
    return { why: 'too much', bytes, waiting: this.#input.length, most };
  }

  resize(cols: number, rows: number): void {
    this.#wish = { cols, rows };
    this.#send({ type: 'resize', cols, rows });
  }

  /** Asks for output from before a replay; of what is no longer kept, or 0, from where so many lines begin. */
  fetch(offset: number, bytes: number, lines: number): void {
    this.#send({ type: 'fetch', offset, bytes, lines, packed: true });
  }

  attend(attention: Attention): void {
    if (attention === this.#attention) return;
    this.#attention = attention;
    this.#send({ type: 'attention', attention });
  }

  /** Somebody is looking, or the network is back: do not wait for the next try. */
  hurry(): void {
    if (this.#isFinal()) return;
    if (this.#state.state === 'gone') this.#become({ state: 'reconnecting', next: undefined });
    this.#socket.hurry();
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
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

  #hello(): void {
    this.roundTrip.sent();
    this.#send({
      type: 'hello',
      version: TERMINAL_PROTOCOL_VERSION,
      client: this.#client,
      epoch: this.#epoch,
      offset: this.#received,
      attention: this.#attention,
      ...(this.#listener.older && { newest: NEWEST_BYTES }),
    });
  }

  /** The server is not there, or does not let this page in. Returns whether to try again. */
  async #refused(late: AbortSignal): Promise<boolean> {
    const standing = await this.#ask();
    if (standing === 'there' || standing === 'not known' || late.aborted) return true;
    this.#become({ state: 'gone', why: standing });
    return false;
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
      case 'older':
        void this.#onOlder(frame);
        break;
    }
  }

  async #onOlder(frame: OlderFrame): Promise<void> {
    const link = this.#state;
    const bytes = frame.packed ? await unpacked(frame.bytes) : frame.bytes;
    if (this.#state === link) this.#listener.older?.({ ...frame, bytes });
  }

  #onAttached(frame: AttachedFrame): void {
    this.roundTrip.came();
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
    this.#socket.established();
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
      this.#away();
      this.#socket.reopen();
      return;
    }
    this.roundTrip.came();
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
    this.#socket.send(encodeClientFrame(frame));
  }

  /** Returns whether to come back. */
  #onLost({ code, reason }: Loss): boolean {
    this.#away();
    switch (code) {
      case TERMINAL_CLOSE.exited:
        return false;
      case TERMINAL_CLOSE.gone:
        this.#become({ state: 'gone', why: 'closed' });
        return false;
      case TERMINAL_CLOSE.version:
        this.#become({ state: 'gone', why: 'version' });
        return false;
      case TERMINAL_CLOSE.crowded:
        this.#become({ state: 'gone', why: 'crowded' });
        return false;
      case TERMINAL_CLOSE.badFrame:
        // We and the server disagree about what went before: begin afresh.
        console.warn(`Quayside: the terminal's server refused a frame: ${reason}`);
        this.#epoch = 0n;
        break;
    }
    return this.#state.state !== 'exited';
  }

  #away(): void {
    if (this.#state.state !== 'open') return;
    this.#downSince = Date.now();
    this.#typedWhileDown = 0;
    this.#become({ state: 'reconnecting', next: undefined });
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

async function unpacked(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([new Uint8Array(bytes)]).stream();
  const stream = packed.pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
