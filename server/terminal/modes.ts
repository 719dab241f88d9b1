import { Buffer } from 'node:buffer';

const ESC = 0x1b;
/** Longer than any sequence that is looked for; what is cut off in the middle waits for its end up to this. */
const LONGEST_SEQUENCE = 64;
/** A program that invents modes must not fill our memory. */
const MOST_MODES = 64;
// What may follow an ESC.
const PRIVATE_MODES = /^\[\?([\d;]+)([hl])/;
const CURSOR_SHAPE = /^\[\d* q/;
const KEYPAD = /^[=>]/;
const RESET = /^(?:c|\[!p)/;
const UNFINISHED = /^(?:\[[?!]?[\d;]* ?)?$/;

/**
 * What a terminal's lost past still means for its present: the modes in force (alternate screen, bracketed paste, mouse,
 * hidden cursor …) at the point where the ring begins. Fed with the bytes that the ring drops, it gives the few bytes
 * that put a fresh terminal into the same modes before the replay.
 */
export class Modes {
  readonly #private = new Map<string, 'h' | 'l'>();
  #cursor = '';
  #keypad = '';
  #rest = '';

  /** Looks at the next bytes of the stream, cut anywhere. */
  feed(bytes: Uint8Array): void {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#rest === '' && view.indexOf(ESC) < 0) return;
    const text = this.#rest + view.toString('latin1');
    this.#rest = '';
    let at = text.indexOf('\x1b');
    while (at >= 0) {
      const sequence = text.slice(at + 1, at + LONGEST_SEQUENCE);
      if (
        !this.#take(sequence) &&
        sequence.length < LONGEST_SEQUENCE - 1 &&
        UNFINISHED.test(sequence)
      ) {
        // It was cut off: the next bytes could still make it one that matters.
        this.#rest = `\x1b${sequence}`;
        return;
      }
      at = text.indexOf('\x1b', at + 1);
    }
  }

  /** The same modes, to go on from without changing these. */
  copy(): Modes {
    const copy = new Modes();
    for (const [mode, set] of this.#private) copy.#private.set(mode, set);
    copy.#cursor = this.#cursor;
    copy.#keypad = this.#keypad;
    copy.#rest = this.#rest;
    return copy;
  }

  /** The bytes that bring about these modes. */
  preamble(): Uint8Array {
    const modes = [...this.#private].map(([mode, set]) => `\x1b[?${mode}${set}`);
    return Buffer.from(modes.join('') + this.#cursor + this.#keypad, 'latin1');
  }

  #take(sequence: string): boolean {
    const modes = PRIVATE_MODES.exec(sequence);
    if (modes) {
      for (const mode of (modes[1] ?? '').split(';')) {
        this.#private.delete(mode);
        if (this.#private.size < MOST_MODES) this.#private.set(mode, modes[2] as 'h' | 'l');
      }
      return true;
    }
    const cursor = CURSOR_SHAPE.exec(sequence);
    if (cursor) this.#cursor = `\x1b${cursor[0]}`;
    const keypad = KEYPAD.exec(sequence);
    if (keypad) this.#keypad = `\x1b${keypad[0]}`;
    if (RESET.test(sequence)) {
      this.#private.clear();
      this.#cursor = '';
      this.#keypad = '';
    }
    return cursor !== null || keypad !== null;
  }
}
