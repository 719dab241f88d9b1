/** Parsed before the clock is looked at: of the shortest lines, a slow processor takes some milliseconds for it. */
const PIECE_BYTES = 4 * 1024;
/** A turn takes so long (ms): half a frame, the other half is for drawing it and for the rest of the page. */
const TURN_MS = 8;
/** More than this between two frames is a flood; an echo is far less. */
const FLOOD_BYTES = 8 * 1024;
/** A flood is drawn again after so many times what its last frame took: drawing takes a third of the time. */
const FRAMES_BETWEEN = 2;
/** … but after this (ms) at the latest, which a key may have to wait then; that is four times a second. */
const LONGEST_HOLD_MS = 250;
/** While somebody scrolls the page, a flood is drawn ten times a second at most (ms): other frames are the page's. */
const SCROLLED_HOLD_MS = 100;

/** The terminal, and the page that it stands in. */
export interface ParseTurnsOwner {
  /** Parses before it returns, if it can, and calls `done` then. */
  parse(bytes: Uint8Array, done?: () => void): void;
  /** While held, what is parsed is not drawn. */
  hold(isHeld: boolean): void;
  isPageScrolled(): boolean;
}

type Piece = Parameters<ParseTurnsOwner['parse']>;

/**
 * Parses output as it comes, so that an echo is on the screen with the next frame; a flood in turns, between which the page
 * gets its time. (xterm's own turns begin only after a timer, which a browser holds back for 4 ms.) A flood is not drawn
 * with each frame: full-screen programs in many colours take far longer to draw than to parse. While somebody scrolls the
 * page, each of its frames comes before the next turn.
 */
export class ParseTurns implements Disposable {
  readonly #owner: ParseTurnsOwner;
  readonly #channel = new MessageChannel();
  #pieces: Piece[] = [];
  #state: 'idle' | 'parsing' | 'between turns' = 'idle';
  #sinceFrame = 0;
  /** A flood's frame: `asked` until it begins, then when it began. */
  #frame: { readonly state: 'none' | 'asked' | 'held' } | FrameBegun = { state: 'none' };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: ParseTurnsOwner) {
    this.#owner = owner;
    this.#channel.port1.onmessage = ({ data }: MessageEvent<'turn' | 'drawn'>) => {
      // Whichever comes first: a turn before it would ask for another frame.
      this.#onTaskAfterFrame();
      if (data === 'turn' && this.#state === 'between turns') this.#turn();
    };
  }

  /** `done` is called when the bytes are parsed: maybe before this returns. */
  write(bytes: Uint8Array, done: () => void): void {
    let at = 0;
    for (; bytes.byteLength - at > PIECE_BYTES; at += PIECE_BYTES) {
      this.#pieces.push([bytes.subarray(at, at + PIECE_BYTES)]);
    }
    this.#pieces.push([bytes.subarray(at), done]);
    if (this.#state !== 'idle') return;
    if (this.#sinceFrame > FLOOD_BYTES) this.#turnLater();
    else this.#turn();
  }

  /** What waits is parsed now, however long it takes: it must not come after what is about to be done. */
  finish(): void {
    for (const piece of this.#pieces.splice(0)) this.#owner.parse(...piece);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#pieces = [];
    this.#channel.port1.close();
  }

  #turn(): void {
    this.#state = 'parsing';
    const end = performance.now() + TURN_MS;
    let parsed = 0;
    for (let piece = this.#pieces[0]; piece; piece = this.#pieces[parsed]) {
      parsed += 1;
      this.#sinceFrame += piece[0].byteLength;
      this.#owner.parse(...piece);
      if (performance.now() >= end) break;
    }
    this.#pieces.splice(0, parsed);
    if (this.#sinceFrame > FLOOD_BYTES && this.#frame.state === 'none') this.#timeFrame();
    if (this.#pieces.length > 0) this.#turnLater();
    else this.#state = 'idle';
  }

  /** After what the page has to do meanwhile: a frame, where somebody waits for one. */
  #turnLater(): void {
    this.#state = 'between turns';
    const post = () => this.#channel.port2.postMessage('turn');
    if (this.#owner.isPageScrolled()) requestAnimationFrame(post);
    else post();
  }

  /** From a frame's callbacks to the first task after it. */
  #timeFrame(): void {
    this.#frame = { state: 'asked' };
    requestAnimationFrame(() => {
      this.#frame = { state: 'begun', at: performance.now() };
      this.#channel.port2.postMessage('drawn');
    });
  }

  #onTaskAfterFrame(): void {
    if (this.#frame.state !== 'begun') return;
    const took = performance.now() - this.#frame.at;
    const least = this.#owner.isPageScrolled() ? SCROLLED_HOLD_MS : 0;
    const ms = Math.max(least, Math.min(took * FRAMES_BETWEEN, LONGEST_HOLD_MS));
    this.#frame = { state: 'held' };
    this.#sinceFrame = 0;
    this.#owner.hold(true);
    this.#timer = setTimeout(() => {
      this.#frame = { state: 'none' };
      // Its callback is called before those of the drawing that is asked for now.
      if (this.#sinceFrame > FLOOD_BYTES) this.#timeFrame();
      this.#owner.hold(false);
    }, ms);
  }
}

interface FrameBegun {
  readonly state: 'begun';
  readonly at: number;
}
