import { MAX_OUTPUT_BYTES } from '#protocol';
import type { Screen } from './screen.ts';
import { whenIdle } from './when-idle.ts';

/** The first piece: an eighth of a second at 1 Mbit/s, for which a key's echo may wait. */
const FIRST_PIECE = 16 * 1024;
const SMALLEST_PIECE = 4 * 1024;
/** A piece that takes longer (ms) delays a key that is typed meanwhile. The next is half as large … */
const SLOW_MS = 250;
/** … and after one that takes less, twice as large. */
const FAST_MS = 100;
/** What is printed while the older output comes; more than that is a flood, after which it is asked for anew. */
const MOST_SINCE = 1024 * 1024;
/** While the screen cannot be replaced (a selection is being made), and after a flood, it is tried again after so long (ms). */
const LATER_MS = 250;

/** A piece of older output, as the server sends it. */
export interface OlderPiece {
  readonly offset: number;
  readonly preamble: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What is needed of the terminal on the page. */
export interface OlderOutputOwner {
  /**
   * Whether older output would be seen. `later`: nobody looks, or a full-screen program runs, which needs its screen only.
   * `never`: the scrollback is full of newer lines.
   */
  wants(): 'now' | 'later' | 'never';
  /** Asks the server for the piece at `offset`; 0: for the oldest that is worth having. */
  fetch(offset: number, bytes: number): void;
  /** Another screen of the same size that nobody sees. */
  another(): Promise<Screen>;
  /** Shows that screen in place of the present one. @returns whether it could */
  replace(screen: Screen): boolean;
}

type State =
  | { readonly kind: 'complete' }
  /** There is older output, and nobody has asked for it. */
  | { readonly kind: 'lacking'; readonly cancel: () => void }
  | Fetching
  /** A screen has all of it, and takes in what is printed until it is shown. */
  | { readonly kind: 'full'; readonly screen: Screen; readonly cancel: () => void };

interface Fetching {
  readonly kind: 'fetching';
  /** The older output ends here: the offset of the next byte when it was first asked for. */
  readonly end: number;
  /** What came since. */
  readonly since: Uint8Array[];
  screen: Screen | undefined;
  next: number;
  pieceBytes: number;
  askedAt: number;
  sinceBytes: number;
  cancel: () => void;
}

const COMPLETE: State = { kind: 'complete' };
const nothing = () => undefined;

/**
 * What was printed before a replay that began with the newest output. When the page is idle it is fetched piece by piece
 * and written, with all that came since, to a second screen that is not shown; that screen then takes the place of the
 * first. xterm cannot put lines above those it has.
 */
export class OlderOutput implements Disposable {
  readonly #owner: OlderOutputOwner;
  #state: State = COMPLETE;
  /** Where the replay on the screen began. */
  #begin = 0;
  /** The offset of the next byte to come. */
  #received = 0;
  /** For whom an answer is on its way. One is asked for at a time. */
  #asker: Fetching | undefined;

  constructor(owner: OlderOutputOwner) {
    this.#owner = owner;
  }

  get isComplete(): boolean {
    return this.#state.kind === 'complete';
  }

  /** A replay begins at an offset. */
  reset(offset: number): void {
    this.#stop();
    this.#begin = offset;
    this.#received = offset;
    this.#state = offset > 0 ? { kind: 'lacking', cancel: nothing } : COMPLETE;
  }

  /** The link is back, and an answer that was on its way is lost; after a restart, so is what was printed before it. */
  reattached(isRestarted: boolean): void {
    this.#asker = undefined;
    if (isRestarted) this.#finish();
    else if (this.#state.kind === 'fetching') this.#lack();
  }

  /** Output has come. */
  add(bytes: Uint8Array, offset: number): void {
    this.#received = offset + bytes.byteLength;
    const state = this.#state;
    if (state.kind === 'full') state.screen.write(bytes, nothing);
    if (state.kind !== 'fetching') return;
    state.since.push(bytes);
    state.sinceBytes += bytes.byteLength;
    if (state.sinceBytes > MOST_SINCE) this.#lack();
  }

  /** It may be wanted now: asks for it when the page is idle. */
  look(): void {
    if (this.#state.kind !== 'lacking' || this.#owner.wants() === 'later') return;
    this.#state.cancel();
    this.#state = { kind: 'lacking', cancel: whenIdle(() => this.#start()) };
  }

  /** The server has answered. */
  take(piece: OlderPiece): void {
    const asker = this.#asker;
    this.#asker = undefined;
    const state = this.#state;
    if (state.kind !== 'fetching' || !state.screen) return;
    if (state !== asker) this.#goOn(state);
    // All the lines that are worth having are on the screen already.
    else if (piece.offset !== state.next && piece.offset >= this.#begin) this.#finish();
    else this.#write(state, state.screen, piece);
  }

  [Symbol.dispose](): void {
    this.#finish();
  }

  #start(): void {
    const wants = this.#owner.wants();
    if (wants === 'never') this.#finish();
    if (wants !== 'now') return;
    const state: Fetching = {
      kind: 'fetching',
      end: this.#received,
      since: [],
      screen: undefined,
      next: 0,
      pieceBytes: FIRST_PIECE,
      askedAt: 0,
      sinceBytes: 0,
      cancel: nothing,
    };
    this.#state = state;
    void this.#prepare(state);
  }

  async #prepare(state: Fetching): Promise<void> {
    const screen = await this.#owner.another();
    if (this.#state !== state) {
      screen[Symbol.dispose]();
      return;
    }
    screen.muted = true;
    state.screen = screen;
    this.#goOn(state);
  }

  #write(state: Fetching, screen: Screen, { offset, preamble, bytes }: OlderPiece): void {
    const took = performance.now() - state.askedAt;
    if (took > SLOW_MS) state.pieceBytes = Math.max(SMALLEST_PIECE, state.pieceBytes / 2);
    if (took < FAST_MS) state.pieceBytes = Math.min(MAX_OUTPUT_BYTES, state.pieceBytes * 2);
    if (offset !== state.next) {
      screen.clear();
      screen.write(preamble, nothing);
    }
    state.next = Math.min(state.end, offset + bytes.byteLength);
    screen.write(bytes.subarray(0, state.end - offset), () => {
      if (this.#state === state) state.cancel = whenIdle(() => this.#goOn(state));
    });
  }

  #goOn(state: Fetching): void {
    const { screen, next, end } = state;
    if (!screen || this.#asker) return;
    if (next < end) {
      this.#asker = state;
      state.askedAt = performance.now();
      this.#owner.fetch(
        next,
        Math.min(state.pieceBytes, next === 0 ? MAX_OUTPUT_BYTES : end - next),
      );
      return;
    }
    for (const bytes of state.since) screen.write(bytes, nothing);
    this.#showWhenIdle(screen);
  }

  #showWhenIdle(screen: Screen): void {
    const cancel = whenIdle(() => {
      const isShown = this.#owner.replace(screen);
      if (isShown) this.#state = COMPLETE;
      else if (this.#owner.wants() === 'never') this.#finish();
      if (this.#state === COMPLETE) return;
      const timer = setTimeout(() => this.#showWhenIdle(screen), LATER_MS);
      this.#state = { kind: 'full', screen, cancel: () => clearTimeout(timer) };
    });
    this.#state = { kind: 'full', screen, cancel };
  }

  #lack(): void {
    this.#stop();
    const timer = setTimeout(() => this.look(), LATER_MS);
    this.#state = { kind: 'lacking', cancel: () => clearTimeout(timer) };
  }

  #finish(): void {
    this.#stop();
    this.#state = COMPLETE;
  }

  #stop(): void {
    const state = this.#state;
    if (state.kind === 'complete') return;
    state.cancel();
    if (state.kind !== 'lacking') state.screen?.[Symbol.dispose]();
  }
}
