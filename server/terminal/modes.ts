import { Buffer } from 'node:buffer';
import type { EscapeListener } from './escape-parser.ts';

/** A program that invents modes must not fill the server's memory. */
const MOST_MODES = 64;
/** Colours and attributes since they were reset last, in bytes; of a program that never resets them, the newer half. */
const MOST_PEN = 512;
/** Modes that show the alternate screen. */
const ALTERNATE: readonly number[] = [47, 1047, 1049];
/** Modes that move the cursor or the screen's content: these, and 132 columns, the origin, the saved cursor. */
const MOVING: readonly number[] = [...ALTERNATE, 3, 6, 1048];
/** A soft reset keeps the screen that is shown, and who gets the mouse. */
const KEPT_BY_SOFT_RESET: readonly number[] = [...ALTERNATE, 9, 1000, 1002, 1003, 1006, 1016];
/** Finals of sequences that leave the cursor in its line and all other lines as they are. */
const WITHIN_LINE = new Set(Buffer.from('@CDGKPX`abcgnt'));
const CHAR = {
  lineFeed: 0x0a,
  escape: 0x1b,
  bang: 0x21,
  zero: 0x30,
  nine: 0x39,
  semicolon: 0x3b,
  less: 0x3c,
  equals: 0x3d,
  greater: 0x3e,
  question: 0x3f,
  bracket: 0x5b,
  backslash: 0x5c,
  c: 0x63,
  h: 0x68,
  l: 0x6c,
  m: 0x6d,
  p: 0x70,
  q: 0x71,
  r: 0x72,
} as const;

/**
 * What a terminal's past means for its present: the modes in force (alternate screen, bracketed paste, mouse, hidden
 * cursor …) and the colours. It gives the few bytes that bring a fresh terminal to the same before a replay that begins
 * here.
 */
export class Modes implements EscapeListener {
  /** The screen's height, by which a scroll region is told from the whole screen. */
  #rows = 24;
  /** DEC private modes, set or not, in the order of their last change: of those that exclude each other, the last counts. */
  readonly #private = new Map<number, boolean>();
  #cursor = '';
  #keypad = '';
  readonly #pen = Buffer.alloc(MOST_PEN);
  #penLength = 0;
  #hasRegion = false;
  #moved = false;

  get isAlternate(): boolean {
    return ALTERNATE.some((mode) => this.#private.get(mode));
  }

  /** Whether a line feed at the bottom scrolls the whole screen, into the scrollback. */
  get scrolls(): boolean {
    return !this.#hasRegion && !this.isAlternate;
  }

  /** A change of size ends a scroll region. */
  set rows(rows: number) {
    this.#rows = rows;
    this.#hasRegion = false;
  }

  /** Whether anything since the last call did more than write on from line to line: what follows may stand anywhere. */
  takeMoved(): boolean {
    const moved = this.#moved;
    this.#moved = false;
    return moved;
  }

  /** The bytes that bring about these modes and colours. */
  preamble(): Buffer {
    const modes = [...this.#private].map(([mode, set]) => `\x1b[?${mode}${set ? 'h' : 'l'}`);
    const pen = this.#pen.toString('latin1', 0, this.#penLength);
    return Buffer.from(modes.join('') + this.#cursor + this.#keypad + pen, 'latin1');
  }

  escape(final: number): void {
    if (final === CHAR.equals || final === CHAR.greater)
      this.#keypad = `\x1b${String.fromCharCode(final)}`;
    else if (final !== CHAR.backslash) this.#moved = true;
    if (final === CHAR.c) this.#reset([]);
  }

  /** Line feeds in it scroll nothing. */
  osc(bytes: Buffer, from: number, to: number): void {
    if (bytes.subarray(from, to).includes(CHAR.lineFeed)) this.#moved = true;
  }

  csi(bytes: Buffer, from: number, to: number): void {
    const final = bytes[to - 1] ?? 0;
    const first = bytes[from] ?? 0;
    switch (final) {
      case CHAR.m:
        if (first < CHAR.less || first > CHAR.question) this.#paint(bytes, from, to);
        break;
      case CHAR.h:
      case CHAR.l:
        if (first === CHAR.question) this.#setModes(bytes, from + 1, to - 1, final === CHAR.h);
        break;
      case CHAR.q: {
        const text = bytes.toString('latin1', from, to);
        if (/^\d* q$/.test(text)) this.#cursor = `\x1b[${text}`;
        break;
      }
      case CHAR.p:
        if (first !== CHAR.bang || to - from !== 2) break;
        this.#reset(KEPT_BY_SOFT_RESET);
        this.#moved = true;
        break;
      case CHAR.r: {
        const [top, bottom] = bytes
          .toString('latin1', from, to - 1)
          .split(';')
          .map(Number);
        this.#hasRegion = (top || 1) > 1 || (bottom || this.#rows) < this.#rows;
        this.#moved = true;
        break;
      }
      default:
        if (!WITHIN_LINE.has(final)) this.#moved = true;
    }
  }

  /** Keeps a change of colours and attributes. */
  #paint(bytes: Buffer, from: number, to: number): void {
    const next = bytes[from + 1];
    const resets =
      to - from === 1 ||
      (bytes[from] === CHAR.zero && (next === CHAR.m || next === CHAR.semicolon));
    if (resets) {
      this.#penLength = 0;
      if (to - from <= 2) return;
    }
    if (this.#penLength + 2 + to - from > MOST_PEN) {
      const newer = this.#pen.indexOf(CHAR.escape, MOST_PEN / 2);
      this.#pen.copyWithin(0, newer, this.#penLength);
      this.#penLength -= newer;
    }
    this.#pen[this.#penLength] = CHAR.escape;
    this.#pen[this.#penLength + 1] = CHAR.bracket;
    for (let at = from; at < to; at++) this.#pen[this.#penLength + 2 + at - from] = bytes[at] ?? 0;
    this.#penLength += 2 + to - from;
  }

  /** Numbers with `;` between them; with anything else among them they mean something else. */
  #setModes(bytes: Buffer, from: number, to: number, set: boolean): void {
    let mode = 0;
    for (let at = from; at <= to; at++) {
      const code = at < to ? (bytes[at] ?? 0) : CHAR.semicolon;
      if (code >= CHAR.zero && code <= CHAR.nine) {
        mode = mode * 10 + code - CHAR.zero;
      } else if (code === CHAR.semicolon) {
        this.#setMode(mode, set);
        mode = 0;
      } else return;
    }
  }

  #setMode(mode: number, set: boolean): void {
    if (MOVING.includes(mode)) this.#moved = true;
    // Deleted and set, so that the map's order is that of the changes.
    if (this.#private.delete(mode) || this.#private.size < MOST_MODES) this.#private.set(mode, set);
  }

  #reset(kept: readonly number[]): void {
    for (const mode of this.#private.keys()) if (!kept.includes(mode)) this.#private.delete(mode);
    this.#cursor = '';
    this.#keypad = '';
    this.#penLength = 0;
    this.#hasRegion = false;
  }
}
