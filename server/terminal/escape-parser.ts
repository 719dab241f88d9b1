import { Buffer } from 'node:buffer';

/** Called for the escape sequences of a stream. The bytes hold only during the call. */
export interface EscapeListener {
  /** `ESC` and one character. */
  escape?(final: number): void;
  /** `CSI` (`ESC [`): its parameters and intermediates from `from` on, its final character at `to - 1`. */
  csi?(bytes: Buffer, from: number, to: number): void;
  /** `OSC` (`ESC ]`): its text, without the `BEL` or `ESC` that ended it. */
  osc?(bytes: Buffer, from: number, to: number): void;
}

const ESC = 0x1b;
const BEL = 0x07;
/** Both break a sequence off. */
const CAN = 0x18;
const SUB = 0x1a;

const GROUND = 0;
const ESCAPE = 1;
const INTERMEDIATE = 2;
const CSI = 3;
const OSC = 4;
const STRING = 5;
const STATES = 6;
/** Added to the next state where the sequence is complete. */
const COMPLETE = 8;
const CODES = 256;

/** A longer CSI is dropped: no terminal has one. */
const LONGEST_CSI = 64;
/** A longer OSC is dropped: no command line is as long, but any program may print one. */
const LONGEST_OSC = 8 * 1024;
/** Text is looked through byte by byte for so long, then at once: a call costs as much as 16 bytes or so. */
const SHORT_TEXT = 16;

/**
 * The next state by state and byte, as in the parser of the DEC terminals (vt100.net/emu/dec_ansi_parser) that xterm.js
 * has as well. `STRING` is what begins with `ESC P`, `ESC X`, `ESC ^` or `ESC _`.
 */
const NEXT = nextStates();

/**
 * Finds the escape sequences in a terminal's output, cut anywhere. It looks at each byte once, and keeps no more than the
 * one sequence that is under way, up to a limit.
 */
export class EscapeParser {
  readonly #listener: EscapeListener;
  #state = GROUND;
  /** The beginning of a sequence whose end has not come yet. */
  #held = Buffer.alloc(0);
  /** How long that beginning is, the part that was not kept for its length included. */
  #heldLength = 0;

  constructor(listener: EscapeListener) {
    this.#listener = listener;
  }

  /** Whether no sequence is under way: what comes next is text, or begins one. */
  get isBetween(): boolean {
    return this.#state === GROUND;
  }

  feed(bytes: Buffer): void {
    const { length } = bytes;
    let state = this.#state;
    let start = 0;
    for (let at = 0; at < length; at++) {
      if (state === GROUND) {
        at = escapeIn(bytes, at);
        if (at < 0) break;
        state = ESCAPE;
        continue;
      }
      const row = state * CODES;
      let next = state;
      while (at < length) {
        next = NEXT[row + (bytes[at] ?? 0)] ?? GROUND;
        if (next !== state) break;
        at += 1;
      }
      if (next === state) break;
      if (next >= COMPLETE) this.#complete(state, bytes, start, at);
      this.#heldLength = 0;
      state = next % COMPLETE;
      start = at + 1;
    }
    this.#state = state;
    if (state === CSI || state === OSC) this.#hold(bytes, start, length);
  }

  #complete(state: number, bytes: Buffer, from: number, at: number): void {
    if (state === ESCAPE) {
      this.#listener.escape?.(bytes[at] ?? 0);
      return;
    }
    const to = state === CSI ? at + 1 : at;
    const longest = state === CSI ? LONGEST_CSI : LONGEST_OSC;
    const length = this.#heldLength + to - from;
    if (length > longest) return;
    const isHeld = this.#heldLength > 0;
    if (isHeld) this.#hold(bytes, from, to);
    const whole = isHeld ? this.#held : bytes;
    const begin = isHeld ? 0 : from;
    if (state === CSI) this.#listener.csi?.(whole, begin, begin + length);
    else this.#listener.osc?.(whole, begin, begin + length);
  }

  /** Adds to the beginning of a sequence, as far as it may still become one that is not too long. */
  #hold(bytes: Buffer, from: number, to: number): void {
    const held = this.#heldLength;
    const length = held + to - from;
    this.#heldLength = length;
    if (length > LONGEST_OSC) return;
    if (length > this.#held.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.min(LONGEST_OSC, 2 * length));
      this.#held.copy(larger, 0, 0, held);
      this.#held = larger;
    }
    bytes.copy(this.#held, held, from, to);
  }
}

/** Where the next ESC is, from `from` on; -1 where there is none. */
function escapeIn(bytes: Buffer, from: number): number {
  const near = Math.min(from + SHORT_TEXT, bytes.length);
  for (let at = from; at < near; at++) if (bytes[at] === ESC) return at;
  return near < bytes.length ? bytes.indexOf(ESC, near) : -1;
}

function nextStates(): Uint8Array {
  const next = new Uint8Array(STATES * CODES);
  /** In `state`, each byte from `first` to `last` leads to `to`. */
  const on = (state: number, first: number, last: number, to: number): void => {
    next.fill(to, state * CODES + first, state * CODES + last + 1);
  };
  // Control characters and DEL take effect within a sequence and are no part of it; what is not ASCII ends it.
  for (const state of [ESCAPE, INTERMEDIATE, CSI]) {
    on(state, 0x00, 0x1f, state);
    on(state, 0x7f, 0x7f, state);
  }
  on(ESCAPE, 0x20, 0x2f, INTERMEDIATE);
  on(ESCAPE, 0x30, 0x7e, GROUND + COMPLETE);
  on(ESCAPE, 0x5b, 0x5b, CSI);
  on(ESCAPE, 0x5d, 0x5d, OSC);
  for (const opener of Buffer.from('PX^_')) on(ESCAPE, opener, opener, STRING + COMPLETE);
  on(INTERMEDIATE, 0x20, 0x2f, INTERMEDIATE);
  on(CSI, 0x20, 0x3f, CSI);
  on(CSI, 0x40, 0x7e, GROUND + COMPLETE);
  on(OSC, 0x00, 0xff, OSC);
  on(OSC, BEL, BEL, GROUND + COMPLETE);
  on(STRING, 0x00, 0xff, STRING);
  for (const state of [ESCAPE, INTERMEDIATE, CSI, OSC, STRING]) {
    on(state, CAN, CAN, GROUND);
    on(state, SUB, SUB, GROUND);
    on(state, ESC, ESC, state === OSC ? ESCAPE + COMPLETE : ESCAPE);
  }
  return next;
}
