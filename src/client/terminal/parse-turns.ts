/** Parsed before the clock is looked at: of the shortest lines, a slow processor takes some milliseconds for it. */
const PIECE_BYTES = 4 * 1024;
/** A turn takes so long (ms): half a frame, the other half is for drawing it and for the rest of the page. */
const TURN_MS = 8;
/** More than this between two frames is a flood; an echo is far less. */
const FLOOD_BYTES = 8 * 1024;
/**
 * A flood that takes the page longer than this (ms) to draw is drawn less often: output gathers after each frame, and it
 * and the turn that follows take half as long as the frame did.
 */
const SLOW_FRAME_MS = 50;
/** … but not more than this (ms), which a key may have to wait then. */
const LONGEST_TURN_MS = 100;
/** So many pieces make a turn worth its frame: half of what a page is sent before it acknowledges. */
const WORTH_A_FRAME = 16;

/** Parses before it returns, if it can, and calls `done` then. */
export type Parse = (bytes: Uint8Array, done?: () => void) => void;

/**
 * Parses output as it comes, so that an echo is on the screen with the next frame; a flood in turns, between which the page
 * gets its time. (xterm's own turns begin only after a timer, which a browser holds back for 4 ms.) Where drawing takes
 * far longer than parsing, as of full-screen programs in many colours, output gathers for a moment after each frame.
 */
export class ParseTurns implements Disposable {
  readonly #parse: Parse;
  readonly #channel = new MessageChannel();
  #pieces: Parameters<Parse>[] = [];
  #state: 'idle' | 'parsing' | 'between turns' | 'gathering' = 'idle';
  #sinceFrame = 0;
  /** When the frame that is being drawn began. */
  #frameStart: number | undefined;
  #isTimed = false;
  #turnMs = TURN_MS;
  #gatherUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parse: Parse) {
    this.#parse = parse;
    this.#channel.port1.onmessage = () => this.#onMessage();
  }

  /** `done` is called when the bytes are parsed: maybe before this returns. */
  write(bytes: Uint8Array, done: () => void): void {
    let at = 0;
    for (; bytes.byteLength - at > PIECE_BYTES; at += PIECE_BYTES) {
      this.#pieces.push([bytes.subarray(at, at + PIECE_BYTES)]);
    }
    this.#pieces.push([bytes.subarray(at), done]);
    switch (this.#state) {
      case 'idle':
        if (this.#sinceFrame > FLOOD_BYTES) this.#turnLater();
        else this.#turnOrGather();
        break;
      case 'gathering':
        if (this.#pieces.length >= WORTH_A_FRAME) this.#turnOrGather();
        break;
    }
  }

  /** What waits is parsed now, however long it takes: it must not come after what is about to be done. */
  finish(): void {
    for (const piece of this.#pieces.splice(0)) this.#parse(...piece);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#pieces = [];
    this.#channel.port1.close();
  }

  #turnOrGather(): void {
    clearTimeout(this.#timer);
    const early = this.#gatherUntil - performance.now();
    if (early <= 0 || this.#pieces.length >= WORTH_A_FRAME) {
      this.#turn();
      return;
    }
    this.#state = 'gathering';
    this.#timer = setTimeout(() => this.#turn(), early);
  }

  #turn(): void {
    this.#state = 'parsing';
    const end = performance.now() + this.#turnMs;
    let parsed = 0;
    for (let piece = this.#pieces[0]; piece; piece = this.#pieces[parsed]) {
      parsed += 1;
      this.#sinceFrame += piece[0].byteLength;
      this.#parse(...piece);
      if (performance.now() >= end) break;
    }
    this.#pieces.splice(0, parsed);
    if (this.#sinceFrame > FLOOD_BYTES && !this.#isTimed) this.#timeFrame();
    if (this.#pieces.length > 0) this.#turnLater();
    else this.#state = 'idle';
  }

  /** After what the page has to do meanwhile, a frame among it. */
  #turnLater(): void {
    this.#state = 'between turns';
    this.#channel.port2.postMessage(undefined);
  }

  /** From a frame's callbacks to the first task after it. */
  #timeFrame(): void {
    this.#isTimed = true;
    requestAnimationFrame(() => {
      this.#frameStart = performance.now();
      this.#channel.port2.postMessage(undefined);
    });
  }

  #onMessage(): void {
    if (this.#frameStart !== undefined) {
      const now = performance.now();
      const took = now - this.#frameStart;
      const isSlow = took > SLOW_FRAME_MS;
      this.#turnMs = isSlow ? Math.min(took / 2, LONGEST_TURN_MS) : TURN_MS;
      this.#gatherUntil = isSlow ? now + this.#turnMs : 0;
      this.#frameStart = undefined;
      this.#isTimed = false;
      this.#sinceFrame = 0;
    }
    if (this.#state === 'between turns') this.#turnOrGather();
  }
}
