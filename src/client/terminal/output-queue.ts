import { whenIdle } from './when-idle.ts';

/**
 * When output is parsed: as it comes (somebody looks), when the page has nothing else to do (the terminal is hidden), or
 * not now (the whole page is).
 */
export type Pace = 'at once' | 'when idle' | 'not now';

/** A hidden terminal's output gathers for so long (ms); a program that asks the terminal something waits for it. */
const GATHER_MS = 250;
/** Parsed between two looks at whether the page is idle: a few milliseconds on a slow processor. */
const PIECE_BYTES = 16 * 1024;

/** What takes the output in. */
interface Taker {
  /** Calls back when all that was written so far is parsed. */
  settled(done: () => void): void;
}

interface Entry<Screen> {
  readonly take: (screen: Screen) => void;
  /** Output in it. */
  readonly bytes: number;
}

/** What the queue does about its entries. `cancel` takes it back. */
type Turn =
  | { readonly state: 'resting' }
  | { readonly state: 'gathering' | 'waiting until idle' | 'parsing'; readonly cancel: () => void };

const RESTING: Turn = { state: 'resting' };

/**
 * What a screen is still to take in, in its order. Without a screen, and while the page is hidden, everything waits; what
 * the server may send before it is acknowledged bounds it. A hidden terminal gets its output in large pieces and in idle
 * time, a few times a second at most, so that it never comes before a terminal that is looked at.
 */
export class OutputQueue<Screen extends Taker> implements Disposable {
  #screen: Screen | undefined;
  #pace: Pace = 'not now';
  #entries: Entry<Screen>[] = [];
  #turn: Turn = RESTING;

  /** The screen is there. */
  open(screen: Screen): void {
    this.#screen = screen;
    this.#goOn();
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  set pace(pace: Pace) {
    if (pace === this.#pace) return;
    this.#pace = pace;
    this.#rest();
    this.#goOn();
  }

  /** In the order of the calls. @param bytes how much output is in it; what has none waits for what is before it only */
  add(take: (screen: Screen) => void, bytes = 0): void {
    const isNext = this.#entries.length === 0;
    if (this.#screen && isNext && (this.#pace === 'at once' || bytes === 0)) {
      take(this.#screen);
      return;
    }
    this.#entries.push({ take, bytes });
    this.#goOn();
  }

  /** The screen will be cleared: output that waits need not be parsed any more. The rest goes on waiting. */
  dropOutput(): void {
    this.#entries = this.#entries.filter(({ bytes }) => bytes === 0);
  }

  [Symbol.dispose](): void {
    this.#rest();
    this.#entries = [];
    this.#screen = undefined;
  }

  #goOn(): void {
    if (!this.#screen || this.#entries.length === 0 || this.#turn.state !== 'resting') return;
    if (this.#pace === 'at once') this.#take(this.#screen, Number.POSITIVE_INFINITY);
    if (this.#pace === 'when idle') this.#gather(this.#screen);
  }

  #rest(): void {
    if (this.#turn.state !== 'resting') this.#turn.cancel();
    this.#turn = RESTING;
  }

  #gather(screen: Screen): void {
    const timer = setTimeout(() => this.#whenIdle(screen, this.#entries.length), GATHER_MS);
    this.#turn = { state: 'gathering', cancel: () => clearTimeout(timer) };
  }

  /** @param count so many entries; what comes meanwhile gathers first */
  #whenIdle(screen: Screen, count: number): void {
    const cancel = whenIdle(() => {
      let isOver = false;
      this.#turn = {
        state: 'parsing',
        cancel: () => {
          isOver = true;
        },
      };
      const left = count - this.#take(screen, count);
      screen.settled(() => {
        if (isOver) return;
        this.#turn = RESTING;
        if (left > 0) this.#whenIdle(screen, left);
        else this.#goOn();
      });
    });
    this.#turn = { state: 'waiting until idle', cancel };
  }

  /** Takes at most `most` entries; of a hidden terminal, one piece. @returns how many */
  #take(screen: Screen, most: number): number {
    const pieceBytes = this.#pace === 'at once' ? Number.POSITIVE_INFINITY : PIECE_BYTES;
    let taken = 0;
    for (let bytes = 0; taken < most && bytes < pieceBytes; taken += 1) {
      const entry = this.#entries.shift();
      if (!entry) break;
      bytes += entry.bytes;
      entry.take(screen);
    }
    return taken;
  }
}
