import { Buffer } from 'node:buffer';
import { deflateRaw } from 'node:zlib';
import type { RawData } from 'ws';
import {
  BEAT_MS,
  type ClientFrame,
  decodeClientFrame,
  encodeServerFrame,
  FrameError,
  INPUT_WINDOW,
  MAX_CLIENT_FRAME,
  MAX_OUTPUT_BYTES,
  type ServerFrame,
  TERMINAL_CLOSE,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import type { Background } from '../../base/background.ts';
import type { Size } from '../../terminal/shell-host.ts';
import { MAX_VIEWERS, type Terminal } from '../../terminal/terminal.ts';
import type { Viewer } from '../../terminal/viewer.ts';
import type { Link } from './link.ts';
import { CLOSE, guardOf, heartbeat, type SocketGuard } from './socket-guard.ts';

/** For the web server that makes the sockets: larger messages are refused before they are read. */
export const MAX_TERMINAL_MESSAGE = MAX_CLIENT_FRAME;
/** The first output after a pause goes at once; what follows within so many ms goes together. */
const COALESCE_MS = 2;
/** … but so much is worth a frame of its own at once: a flood is not to wait for a timer. */
const COALESCE_BYTES = 32 * 1024;
/** A socket that has so much in its queue is full: the page does not read. */
const SOCKET_FULL = 256 * 1024;
/** … and has room again below this. */
const SOCKET_ROOM = 64 * 1024;
/** Input is reported as taken while no more than this waits for the program; a page that keeps to its window stops. */
const INPUT_FULL = 64 * 1024;
/** A page that goes on all the same is cut off. */
const INPUT_LIMIT = 4 * INPUT_WINDOW;
/** Small next to the window, so that a long paste never stops in between. */
const REPORT_INPUT_EVERY = 16 * 1024;
/** A page sends its hello at once; a socket without one within this many ms is no page's. */
const HELLO_MS = 10_000;
/** Of deflate: 64 KiB of what programs print take 0.7 ms, as with the lowest level, and come out a sixth as large. */
const PACKED = 4;
/** The close code of a socket that ended without a close frame. */
const BROKEN = 1006;

/** Frames of which only the last counts. */
type StateFrame = Extract<ServerFrame, { type: 'size' | 'beat' }>;

/** For an instructor who watches a learner's terminal: never decides the size, never holds a program back. */
export interface Watch {
  /** Input is dropped unless the learner allows it at that moment. */
  readonly mayType: () => boolean;
}

/**
 * Carries one terminal over one socket, until either is closed. The caller has checked that this learner may use this
 * terminal.
 */
export function linkTerminal(
  socket: Link,
  terminal: Terminal,
  background: Background,
  watch?: Watch,
): void {
  new TerminalLink(socket, terminal, background, watch);
}

class TerminalLink {
  readonly #socket: Link;
  readonly #terminal: Terminal;
  readonly #watch: Watch | undefined;
  readonly #guarded: SocketGuard;
  readonly #flushLater: () => void;
  readonly #sent: () => void;
  #viewer: Viewer | undefined;
  #lastFlush = Number.NEGATIVE_INFINITY;
  #flushing: NodeJS.Timeout | undefined;
  /** Input that the page knows to be taken, in bytes. */
  #toldTaken = 0;
  /** An answer to a fetch has not left the socket's queue. */
  #isFetching = false;
  /** By kind: the frame that waits until the one before it has left the socket's queue; `undefined` where none waits. */
  readonly #underWay = new Map<StateFrame['type'], StateFrame | undefined>();
  readonly #beat: NodeJS.Timeout;
  readonly #hello: NodeJS.Timeout;

  constructor(socket: Link, terminal: Terminal, background: Background, watch: Watch | undefined) {
    this.#socket = socket;
    this.#watch = watch;
    this.#terminal = terminal;
    this.#guarded = guardOf(socket, background, 'terminal socket', () => this.#release('gone'));
    const guarded = this.#guarded;
    this.#flushLater = guarded(() => this.#flush());
    this.#sent = guarded(() => this.#onSent());
    this.#hello = setTimeout(
      guarded(() => this.close(TERMINAL_CLOSE.silent, 'no hello')),
      HELLO_MS,
    );
    const onLost = () => this.#release('lost');
    this.#beat = heartbeat(socket, guarded, BEAT_MS, () => this.#tell(), onLost);
    socket.on(
      'message',
      guarded((data: RawData, isBinary: boolean) => this.#onMessage(data, isBinary)),
    );
    socket.once(
      'close',
      guarded((code: number) => this.#release(code === BROKEN ? 'lost' : 'gone')),
    );
    // A socket that breaks is closed next; there is nothing to do about it here.
    socket.on('error', () => undefined);
  }

  close(code: number, reason: string): void {
    this.#release('gone');
    this.#socket.close(code, reason);
  }

  #release(how: 'gone' | 'lost'): void {
    clearTimeout(this.#hello);
    clearTimeout(this.#flushing);
    clearInterval(this.#beat);
    if (this.#viewer) this.#terminal.leave(this.#viewer, how);
    this.#viewer = undefined;
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      if (!isBinary) throw new FrameError('text instead of binary');
      this.#onFrame(decodeClientFrame(bytesOf(data)));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(TERMINAL_CLOSE.badFrame, error.message);
    }
  }

  #onFrame(frame: ClientFrame): void {
    const viewer = this.#viewer;
    if (frame.type === 'hello') {
      if (viewer) throw new FrameError('hello twice');
      this.#onHello(frame);
      return;
    }
    if (!viewer) throw new FrameError('hello must come first');
    switch (frame.type) {
      case 'input':
        this.#terminal.input(viewer, frame.offset, frame.bytes);
        if (this.#terminal.queuedInput > INPUT_LIMIT)
          throw new FrameError('more input than allowed');
        this.#reportInput();
        break;
      case 'resize':
        if (this.#watch) break;
        this.#terminal.resize(viewer, { cols: frame.cols, rows: frame.rows });
        break;
      case 'ack':
        this.#terminal.acknowledge(viewer, frame.offset);
        this.#wake();
        break;
      case 'attention':
        if (this.#watch) break;
        this.#terminal.attend(viewer, frame.attention);
        break;
      case 'fetch':
        this.#fetch(frame);
        break;
    }
  }

  #onHello(hello: Extract<ClientFrame, { type: 'hello' }>): void {
    clearTimeout(this.#hello);
    if (hello.version !== TERMINAL_PROTOCOL_VERSION) {
      this.close(TERMINAL_CLOSE.version, `version ${TERMINAL_PROTOCOL_VERSION} is spoken here`);
      return;
    }
    const terminal = this.#terminal;
    if (terminal.viewers >= MAX_VIEWERS) {
      this.close(TERMINAL_CLOSE.crowded, 'too many pages on this terminal');
      return;
    }
    const watch = this.#watch;
    const guarded = this.#guarded;
    const arrival = watch ? { ...hello, attention: 'hidden' as const } : hello;
    const { viewer, resume } = terminal.attach(arrival, {
      ...(watch && { mayType: watch.mayType }),
      wake: guarded(() => this.#wake()),
      sized: guarded((size: Size, yours: boolean) => {
        // While attaching, the size follows right after the attached frame.
        if (this.#viewer) this.#sendState({ type: 'size', ...size, yours: yours && !watch });
      }),
      closed: guarded((why: 'closed' | 'detached') => {
        if (why === 'closed') this.close(TERMINAL_CLOSE.gone, 'terminal closed');
        else this.close(CLOSE.restarting, 'server restarting');
      }),
      drained: guarded(() => this.#reportInput()),
    });
    this.#send({
      type: 'attached',
      version: TERMINAL_PROTOCOL_VERSION,
      epoch: terminal.epoch,
      resume,
      head: terminal.head,
      taken: terminal.taken(hello.client),
      ...terminal.size,
      title: terminal.title,
    });
    this.#viewer = viewer;
    this.#toldTaken = terminal.taken(hello.client);
    this.#send({ type: 'size', ...terminal.size, yours: terminal.isActive(viewer) && !watch });
    this.#flush();
  }

  #wake(): void {
    if (!this.#viewer) return;
    if (this.#terminal.head - this.#viewer.sent >= COALESCE_BYTES) {
      this.#flush();
      return;
    }
    if (this.#flushing !== undefined) return;
    const since = performance.now() - this.#lastFlush;
    if (since >= COALESCE_MS) this.#flush();
    else this.#flushing = setTimeout(this.#flushLater, COALESCE_MS - since);
  }

  #flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    const viewer = this.#viewer;
    if (!viewer) return;
    this.#lastFlush = performance.now();
    for (;;) {
      const next = this.#terminal.take(viewer, MAX_OUTPUT_BYTES);
      if (next === undefined) return;
      switch (next.kind) {
        case 'output':
          this.#send({ type: 'output', offset: next.offset, bytes: next.bytes });
          break;
        case 'reset':
          this.#send({ type: 'reset', offset: next.offset, preamble: next.preamble });
          break;
        case 'exit':
          this.#send({ type: 'exit', status: next.status });
          this.close(TERMINAL_CLOSE.exited, 'shell ended');
          return;
      }
      if (this.#socket.bufferedAmount > SOCKET_FULL) this.#terminal.block(viewer, true);
    }
  }

  #fetch({ offset, bytes, lines, packed }: Extract<ClientFrame, { type: 'fetch' }>): void {
    if (this.#isFetching) throw new FrameError('fetch before the answer');
    this.#isFetching = true;
    const most = Math.min(bytes, MAX_OUTPUT_BYTES);
    const sent = (): void => {
      this.#isFetching = false;
      this.#onSent();
    };
    const older = { type: 'older', ...this.#terminal.older(offset, most, lines) } as const;
    if (!packed) {
      this.#send(older, this.#guarded(sent));
      return;
    }
    // In a thread of its own: a key's echo does not wait for it.
    deflateRaw(
      // What is printed meanwhile may take its place.
      Buffer.from(older.bytes),
      { level: PACKED },
      this.#guarded((_: Error | null, bytes: Buffer) =>
        this.#send({ ...older, bytes, packed }, this.#guarded(sent)),
      ),
    );
  }

  /** Opens the page's input window again, when that is worth a frame. */
  #reportInput(): void {
    if (!this.#viewer || this.#terminal.queuedInput > INPUT_FULL) return;
    const taken = this.#terminal.taken(this.#viewer.client);
    if (taken - this.#toldTaken >= REPORT_INPUT_EVERY) this.#tell();
  }

  /** Tells the page what of its input is taken, as far as the program reads. */
  #tell(): void {
    if (!this.#viewer) return;
    if (this.#terminal.queuedInput <= INPUT_FULL) {
      this.#toldTaken = this.#terminal.taken(this.#viewer.client);
    }
    this.#sendState({ type: 'beat', taken: this.#toldTaken });
  }

  #send(frame: ServerFrame, sent = this.#sent): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(encodeServerFrame(frame), sent);
  }

  /** At most one frame of its kind is in the socket's queue: a page that does not read gets the last one later. */
  #sendState(frame: StateFrame): void {
    const { type } = frame;
    if (this.#underWay.has(type)) {
      this.#underWay.set(type, frame);
      return;
    }
    this.#underWay.set(type, undefined);
    const sent = (): void => {
      const next = this.#underWay.get(type);
      this.#underWay.delete(type);
      if (next && this.#viewer) this.#sendState(next);
      this.#onSent();
    };
    this.#send(frame, this.#guarded(sent));
  }

  /** A frame has left the socket's queue. */
  #onSent(): void {
    const viewer = this.#viewer;
    if (!viewer?.blocked || this.#socket.bufferedAmount > SOCKET_ROOM) return;
    this.#terminal.block(viewer, false);
    this.#wake();
  }
}

/** A message as one piece. */
export function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
