import { Buffer } from 'node:buffer';
import { EscapeParser } from './escape-parser.ts';

/** A program that invents modes must not fill the server's memory. */
const MOST_MODES = 64;
const CHAR = {
  space: 0x20,
  bang: 0x21,
  zero: 0x30,
  nine: 0x39,
  semicolon: 0x3b,
  equals: 0x3d,
  greater: 0x3e,
  question: 0x3f,
  c: 0x63,
  h: 0x68,
  l: 0x6c,
  p: 0x70,
  q: 0x71,
} as const;

/**
 * What a terminal's lost past still means for its present: the modes in force (alternate screen, bracketed paste, mouse,
 * hidden cursor …) at the point where the ring begins. Fed with the bytes that the ring drops, it gives the few bytes
 * that put a fresh terminal into the same modes before the replay.
 */
export class Modes {
  readonly #parser: EscapeParser;
  /** DEC private modes: whether each is set, and when it was last (of those that exclude each other, the last counts). */
  readonly #private = new Map<number, { set: boolean; at: number }>();
  #changes = 0;
  #cursor = '';
  #keypad = '';

  /** @param from goes on from there without changing it */
  constructor(from?: Modes) {
    const listener = {
      escape: (final: number) => this.#escape(final),
      csi: (bytes: Buffer, begin: number, end: number) => this.#csi(bytes, begin, end),
    };
    if (!from) {
      this.#parser = new EscapeParser(listener);
      return;
    }
    this.#parser = new EscapeParser(listener, from.#parser);
    for (const [mode, { set, at }] of from.#private) this.#private.set(mode, { set, at });
    this.#changes = from.#changes;
    this.#cursor = from.#cursor;
    this.#keypad = from.#keypad;
  }

  /** Looks at the next bytes of the stream, cut anywhere. */
  feed(bytes: Buffer): void {
    this.#parser.feed(bytes);
  }

  /** The bytes that bring about these modes. */
  preamble(): Uint8Array {
    const modes = [...this.#private]
      .sort(([, one], [, other]) => one.at - other.at)
      .map(([mode, { set }]) => `\x1b[?${mode}${set ? 'h' : 'l'}`);
    return Buffer.from(modes.join('') + this.#cursor + this.#keypad, 'latin1');
  }

  #escape(final: number): void {
    if (final === CHAR.c) this.#reset();
    else if (final === CHAR.equals || final === CHAR.greater)
      this.#keypad = `\x1b${String.fromCharCode(final)}`;
  }

  #csi(bytes: Buffer, from: number, to: number): void {
    const final = bytes[to - 1];
    switch (final) {
      case CHAR.h:
      case CHAR.l:
        if (bytes[from] === CHAR.question)
          this.#setModes(bytes, from + 1, to - 1, final === CHAR.h);
        break;
      case CHAR.q: {
        const text = bytes.toString('latin1', from, to);
        if (/^\d* q$/.test(text)) this.#cursor = `\x1b[${text}`;
        break;
      }
      case CHAR.p:
        if (bytes[from] === CHAR.bang && to - from === 2) this.#reset();
        break;
    }
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
    this.#changes += 1;
    const known = this.#private.get(mode);
    if (known) {
      known.set = set;
      known.at = this.#changes;
    } else if (this.#private.size < MOST_MODES) {
      this.#private.set(mode, { set, at: this.#changes });
    }
  }

  #reset(): void {
    this.#private.clear();
    this.#cursor = '';
    this.#keypad = '';
  }
}
