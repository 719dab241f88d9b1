/**
 * The terminal's wire protocol: binary frames on one WebSocket per terminal, both ways. `docs/terminal-protocol.md`
 * describes it for people; this file is what both sides run. Integers are big-endian; offsets count bytes since the
 * terminal's epoch began.
 */

export const TERMINAL_PROTOCOL_VERSION = 1;

/** The most that one frame of a page may have, its head included; a long paste comes in several. */
export const MAX_CLIENT_FRAME = 16 * 1024;
/** An output frame has at most this, so that a keystroke's echo never waits long behind one. */
export const MAX_OUTPUT_BYTES = 64 * 1024;
/** A page that asks for less than this has measured a hidden pane; more than that no screen shows. */
export const TERMINAL_SIZE_LIMITS = {
  minCols: 2,
  maxCols: 1000,
  minRows: 1,
  maxRows: 500,
} as const;
/** A viewer gets at most this many bytes that it has not acknowledged. */
export const OUTPUT_WINDOW = 128 * 1024;
/** A page acknowledges at the latest after this many bytes; far less than the window, or it would never reopen. */
export const ACKNOWLEDGE_EVERY = 16 * 1024;
/** A page sends at most this much input beyond what the server has reported as taken. */
export const INPUT_WINDOW = 64 * 1024;
/** The server says something at least this often (ms); a page that hears nothing for three of these is cut off. */
export const BEAT_MS = 10_000;

/** Why the server ended a terminal's socket. 1001 and 1012 (server going away) mean: come back. */
export const TERMINAL_CLOSE = {
  /** The shell has ended; an exit frame came before. */
  exited: 4000,
  /** The page sent something that is no frame of this protocol. The reason says what. */
  badFrame: 4400,
  /** The terminal was closed, or is not this learner's. */
  gone: 4404,
  /** The page did not answer for too long. */
  silent: 4408,
  /** The page speaks another version; it has to be loaded again. */
  version: 4426,
  /** More viewers than a terminal has room for. */
  crowded: 4429,
} as const;

/** How much the page is looked at: a hidden page never holds a program back, an active one decides the size. */
export type Attention = 'hidden' | 'visible' | 'active';

/** Page to server. */
export type ClientFrame =
  | {
      readonly type: 'hello';
      readonly version: number;
      /** Random; the same for all sockets of one page's pane, so that input is counted across them. */
      readonly client: bigint;
      /** Where the page goes on: the epoch and offset it had, or epoch 0 where it has nothing yet. */
      readonly epoch: bigint;
      readonly offset: number;
      readonly attention: Attention;
      /**
       * Of a page that fetches what is older afterwards: how many bytes before the end a replay is to begin. Without it a
       * replay is of all that is kept.
       */
      readonly newest?: number;
    }
  /** `offset` counts this client's input bytes; what the server has already is dropped. */
  | { readonly type: 'input'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  /** Everything below `offset` is on the screen. */
  | { readonly type: 'ack'; readonly offset: number }
  | { readonly type: 'attention'; readonly attention: Attention }
  /**
   * Asks for output from before a replay: at most so many bytes from `offset` on. Where that is 0 or no longer kept, from
   * where so many lines above the screen begin. The next may be asked for when this is answered.
   */
  | {
      readonly type: 'fetch';
      readonly offset: number;
      readonly bytes: number;
      readonly lines: number;
      /** The answer may be packed. */
      readonly packed?: true;
    };

/** What the page does before the first output: nothing, clear its screen, or keep it though bytes may be missing. */
export type ResumeKind = 'exact' | 'replay' | 'restarted';

/** Server to page. */
export type ServerFrame =
  | {
      readonly type: 'attached';
      readonly version: number;
      readonly epoch: bigint;
      readonly resume: ResumeKind;
      /** Output below this is old: device queries in it must not be answered again. */
      readonly head: number;
      /** This client's input bytes that have arrived over earlier sockets. */
      readonly taken: number;
      readonly cols: number;
      readonly rows: number;
      readonly title: string;
    }
  | { readonly type: 'output'; readonly offset: number; readonly bytes: Uint8Array }
  /** Clear everything, write `preamble` (it counts for nothing), and go on at `offset`. */
  | { readonly type: 'reset'; readonly offset: number; readonly preamble: Uint8Array }
  /** The answer to `fetch`. Where it does not begin at the offset asked for, it is to be written after `preamble`. */
  | {
      readonly type: 'older';
      readonly offset: number;
      readonly preamble: Uint8Array;
      readonly bytes: Uint8Array;
      /** `bytes` are deflated (RFC 1951). */
      readonly packed?: true;
    }
  /** The shell has ended. `undefined`: how is not known. */
  | { readonly type: 'exit'; readonly status: number | undefined }
  /** A sign of life, and how many of this client's input bytes the server has taken. */
  | { readonly type: 'beat'; readonly taken: number }
  /** The shell's size, and whether this page is the one that decides it. */
  | {
      readonly type: 'size';
      readonly cols: number;
      readonly rows: number;
      readonly yours: boolean;
    };

/** Bytes that are no frame. The message says why; it is fit for a close reason. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FrameError';
  }
}

const CLIENT = {
  hello: 0x01,
  input: 0x02,
  resize: 0x03,
  ack: 0x04,
  attention: 0x05,
  fetch: 0x06,
} as const;
const SERVER = {
  attached: 0x81,
  output: 0x82,
  reset: 0x83,
  exit: 0x84,
  beat: 0x85,
  size: 0x86,
  older: 0x87,
  packed: 0x88,
} as const;
const ATTENTION: readonly Attention[] = ['hidden', 'visible', 'active'];
const RESUME: readonly ResumeKind[] = ['exact', 'replay', 'restarted'];
/** On the wire, where the exit status is not known. */
const STATUS_UNKNOWN = -1;
const HELLO_BYTES = 27;
/** … of a hello with `newest`. */
const LONG_HELLO_BYTES = 31;
const FETCH_BYTES = 17;
/** … of a fetch whose answer may be packed. */
const LONG_FETCH_BYTES = 18;
const ATTACHED_BYTES = 31;
const OFFSET_HEAD = 9;
const OLDER_HEAD = 11;

export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'hello': {
      const { newest } = frame;
      const view = open(CLIENT.hello, newest === undefined ? HELLO_BYTES : LONG_HELLO_BYTES);
      view.setUint8(1, frame.version);
      view.setBigUint64(2, frame.client);
      view.setBigUint64(10, frame.epoch);
      putOffset(view, 18, frame.offset);
      view.setUint8(26, ATTENTION.indexOf(frame.attention));
      if (newest !== undefined) view.setUint32(HELLO_BYTES, newest);
      return bytesOf(view);
    }
    case 'input':
      return withOffset(CLIENT.input, frame.offset, frame.bytes);
    case 'resize': {
      const view = open(CLIENT.resize, 5);
      view.setUint16(1, frame.cols);
      view.setUint16(3, frame.rows);
      return bytesOf(view);
    }
    case 'ack': {
      const view = open(CLIENT.ack, 9);
      putOffset(view, 1, frame.offset);
      return bytesOf(view);
    }
    case 'attention': {
      const view = open(CLIENT.attention, 2);
      view.setUint8(1, ATTENTION.indexOf(frame.attention));
      return bytesOf(view);
    }
    case 'fetch': {
      const view = open(CLIENT.fetch, frame.packed ? LONG_FETCH_BYTES : FETCH_BYTES);
      putOffset(view, 1, frame.offset);
      view.setUint32(9, frame.bytes);
      view.setUint32(13, frame.lines);
      if (frame.packed) view.setUint8(FETCH_BYTES, 1);
      return bytesOf(view);
    }
  }
}

/** @throws FrameError for anything that a page of this version would not send */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  if (bytes.byteLength > MAX_CLIENT_FRAME) throw new FrameError('frame too large');
  const view = viewOf(bytes);
  switch (kindOf(view)) {
    case CLIENT.hello: {
      // The version comes first, so that a page of another version hears of that and not of a malformed hello.
      if (view.byteLength < 2) throw new FrameError('hello too short');
      const version = view.getUint8(1);
      if (version !== TERMINAL_PROTOCOL_VERSION) {
        return { type: 'hello', version, client: 0n, epoch: 0n, offset: 0, attention: 'hidden' };
      }
      const isLong = view.byteLength === LONG_HELLO_BYTES;
      if (!isLong) exactly(view, HELLO_BYTES, 'hello');
      return {
        type: 'hello',
        version,
        client: view.getBigUint64(2),
        epoch: view.getBigUint64(10),
        offset: getOffset(view, 18),
        attention: oneOf(ATTENTION, view.getUint8(26), 'attention'),
        ...(isLong && { newest: view.getUint32(HELLO_BYTES) }),
      };
    }
    case CLIENT.input:
      atLeast(view, OFFSET_HEAD, 'input');
      return { type: 'input', offset: getOffset(view, 1), bytes: bytes.subarray(OFFSET_HEAD) };
    case CLIENT.resize: {
      exactly(view, 5, 'resize');
      const cols = view.getUint16(1);
      const rows = view.getUint16(3);
      const { minCols, maxCols, minRows, maxRows } = TERMINAL_SIZE_LIMITS;
      if (cols < minCols || cols > maxCols || rows < minRows || rows > maxRows) {
        throw new FrameError(`size ${cols}x${rows} out of bounds`);
      }
      return { type: 'resize', cols, rows };
    }
    case CLIENT.ack:
      exactly(view, 9, 'ack');
      return { type: 'ack', offset: getOffset(view, 1) };
    case CLIENT.attention:
      exactly(view, 2, 'attention');
      return { type: 'attention', attention: oneOf(ATTENTION, view.getUint8(1), 'attention') };
    case CLIENT.fetch: {
      const isLong = view.byteLength === LONG_FETCH_BYTES;
      if (!isLong) exactly(view, FETCH_BYTES, 'fetch');
      return {
        type: 'fetch',
        offset: getOffset(view, 1),
        bytes: view.getUint32(9),
        lines: view.getUint32(13),
        ...(isLong && view.getUint8(FETCH_BYTES) === 1 && { packed: true }),
      };
    }
    default:
      throw new FrameError('unknown frame');
  }
}

export function encodeServerFrame(frame: ServerFrame): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'attached': {
      const title = new TextEncoder().encode(frame.title);
      const view = open(SERVER.attached, ATTACHED_BYTES + title.byteLength);
      view.setUint8(1, frame.version);
      view.setBigUint64(2, frame.epoch);
      view.setUint8(10, RESUME.indexOf(frame.resume));
      putOffset(view, 11, frame.head);
      putOffset(view, 19, frame.taken);
      view.setUint16(27, frame.cols);
      view.setUint16(29, frame.rows);
      const bytes = bytesOf(view);
      bytes.set(title, ATTACHED_BYTES);
      return bytes;
    }
    case 'output':
      return withOffset(SERVER.output, frame.offset, frame.bytes);
    case 'reset':
      return withOffset(SERVER.reset, frame.offset, frame.preamble);
    case 'exit': {
      const view = open(SERVER.exit, 5);
      view.setInt32(1, frame.status ?? STATUS_UNKNOWN);
      return bytesOf(view);
    }
    case 'beat': {
      const view = open(SERVER.beat, 9);
      putOffset(view, 1, frame.taken);
      return bytesOf(view);
    }
    case 'size': {
      const view = open(SERVER.size, 6);
      view.setUint16(1, frame.cols);
      view.setUint16(3, frame.rows);
      view.setUint8(5, frame.yours ? 1 : 0);
      return bytesOf(view);
    }
    case 'older': {
      const { preamble } = frame;
      const text = OLDER_HEAD + preamble.byteLength;
      const view = open(frame.packed ? SERVER.packed : SERVER.older, text + frame.bytes.byteLength);
      putOffset(view, 1, frame.offset);
      view.setUint16(9, preamble.byteLength);
      const bytes = bytesOf(view);
      bytes.set(preamble, OLDER_HEAD);
      bytes.set(frame.bytes, text);
      return bytes;
    }
  }
}

/** @throws FrameError for anything that a server of this version would not send */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  const view = viewOf(bytes);
  switch (kindOf(view)) {
    case SERVER.attached:
      atLeast(view, ATTACHED_BYTES, 'attached');
      return {
        type: 'attached',
        version: view.getUint8(1),
        epoch: view.getBigUint64(2),
        resume: oneOf(RESUME, view.getUint8(10), 'resume kind'),
        head: getOffset(view, 11),
        taken: getOffset(view, 19),
        cols: view.getUint16(27),
        rows: view.getUint16(29),
        title: new TextDecoder().decode(bytes.subarray(ATTACHED_BYTES)),
      };
    case SERVER.output:
      atLeast(view, OFFSET_HEAD, 'output');
      return { type: 'output', offset: getOffset(view, 1), bytes: bytes.subarray(OFFSET_HEAD) };
    case SERVER.reset:
      atLeast(view, OFFSET_HEAD, 'reset');
      return { type: 'reset', offset: getOffset(view, 1), preamble: bytes.subarray(OFFSET_HEAD) };
    case SERVER.exit: {
      exactly(view, 5, 'exit');
      const status = view.getInt32(1);
      return { type: 'exit', status: status === STATUS_UNKNOWN ? undefined : status };
    }
    case SERVER.beat:
      exactly(view, 9, 'beat');
      return { type: 'beat', taken: getOffset(view, 1) };
    case SERVER.size:
      exactly(view, 6, 'size');
      return {
        type: 'size',
        cols: view.getUint16(1),
        rows: view.getUint16(3),
        yours: view.getUint8(5) === 1,
      };
    case SERVER.older:
    case SERVER.packed: {
      atLeast(view, OLDER_HEAD, 'older');
      const text = OLDER_HEAD + view.getUint16(9);
      atLeast(view, text, 'older');
      return {
        type: 'older',
        offset: getOffset(view, 1),
        preamble: bytes.subarray(OLDER_HEAD, text),
        bytes: bytes.subarray(text),
        ...(kindOf(view) === SERVER.packed && { packed: true }),
      };
    }
    default:
      throw new FrameError('unknown frame');
  }
}

function open(kind: number, length: number): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(length));
  view.setUint8(0, kind);
  return view;
}

function bytesOf(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function kindOf(view: DataView): number {
  if (view.byteLength === 0) throw new FrameError('empty frame');
  return view.getUint8(0);
}

function withOffset(kind: number, offset: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = open(kind, OFFSET_HEAD + payload.byteLength);
  putOffset(view, 1, offset);
  const bytes = bytesOf(view);
  bytes.set(payload, OFFSET_HEAD);
  return bytes;
}

function putOffset(view: DataView, at: number, offset: number): void {
  view.setUint32(at, Math.floor(offset / 2 ** 32));
  view.setUint32(at + 4, offset % 2 ** 32);
}

function getOffset(view: DataView, at: number): number {
  const offset = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  if (!Number.isSafeInteger(offset)) throw new FrameError('offset out of bounds');
  return offset;
}

function exactly(view: DataView, length: number, name: string): void {
  if (view.byteLength !== length) throw new FrameError(`${name} must have ${length} bytes`);
}

function atLeast(view: DataView, length: number, name: string): void {
  if (view.byteLength < length) throw new FrameError(`${name} too short`);
}

function oneOf<T>(values: readonly T[], index: number, name: string): T {
  const value = values[index];
  if (value === undefined) throw new FrameError(`unknown ${name}`);
  return value;
}
