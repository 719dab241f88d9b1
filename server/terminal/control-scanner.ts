import { Buffer } from 'node:buffer';

/** A piece of the stream: bytes of the terminal, or a note of ours. */
export type StreamItem =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** `begin`: the shell starts now. `end`: it has ended. `left`: the process on our pty has. */
  | {
      readonly kind: 'note';
      readonly note: 'begin' | 'end' | 'left';
      readonly status: number | undefined;
    };

const TERMINATOR = Buffer.from('\x1b\\');
/** A note is a word and a number; anything longer is somebody else's text. */
const LONGEST_NOTE = 32;
const ESC = 0x1b;
const NOTHING = Buffer.alloc(0);

/** The shell text that prints a note about terminal `$id`; `word` may contain `$?`. */
export function printNote(idVariable: string, word: string): string {
  return `printf '\\033_quayside:%s:%s\\033\\134' "${idVariable}" "${word}"`;
}

/**
 * Finds our own notes in a terminal's bytes, wherever the stream is cut, and takes them out. A note travels in the stream, so it can't overtake what was printed before it: after `end`
 * nothing of the shell's output is still under way.
 */
export class ControlScanner {
  readonly #prefix: Buffer;
  readonly #remark: Buffer | undefined;
  #held: Buffer = NOTHING;

  /** @param remark something else that is taken out: what a helper on the way says about itself */
  constructor(id: string, remark?: Buffer) {
    this.#prefix = Buffer.from(`\x1b_quayside:${id}:`);
    this.#remark = remark;
  }

  /** The pieces of `chunk`, in order. The end of a chunk that could be the start of a note waits for the next one. */
  push(chunk: Buffer): readonly StreamItem[] {
    // Most of a flood.
    if (this.#held.byteLength === 0 && chunk.indexOf(ESC) < 0) {
      return chunk.byteLength > 0 ? [{ kind: 'bytes', bytes: chunk }] : [];
    }
    let rest = this.#held.byteLength > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = NOTHING;
    const pieces: StreamItem[] = [];
    const text = (bytes: Buffer): void => {
      if (bytes.byteLength > 0) pieces.push({ kind: 'bytes', bytes });
    };
    for (;;) {
      const note = rest.indexOf(this.#prefix);
      const remark = this.#remark ? rest.indexOf(this.#remark) : -1;
      if (this.#remark && remark >= 0 && (note < 0 || remark < note)) {
        text(rest.subarray(0, remark));
        rest = rest.subarray(remark + this.#remark.byteLength);
        continue;
      }
      if (note < 0) break;
      const from = note + this.#prefix.byteLength;
      const end = rest.indexOf(TERMINATOR, from);
      if (end < 0 && rest.byteLength - from <= LONGEST_NOTE) {
        text(rest.subarray(0, note));
        this.#held = Buffer.from(rest.subarray(note));
        return pieces;
      }
      const parsed = end < 0 ? undefined : parseNote(rest.toString('latin1', from, end));
      const upTo = parsed ? note : from;
      text(rest.subarray(0, upTo));
      if (parsed) pieces.push(parsed);
      rest = rest.subarray(parsed ? end + TERMINATOR.byteLength : from);
    }
    const hold = this.#startOfSomethingIn(rest);
    text(rest.subarray(0, hold));
    this.#held = Buffer.from(rest.subarray(hold));
    return pieces;
  }

  /** What was held back, once no more will come. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }

  /** Where a tail begins that the next chunk could make into a note. */
  #startOfSomethingIn(bytes: Buffer): number {
    const longest = Math.max(this.#prefix.byteLength, this.#remark?.byteLength ?? 0) - 1;
    let at = bytes.indexOf(ESC, Math.max(0, bytes.byteLength - longest));
    while (at >= 0) {
      const tail = bytes.subarray(at);
      if (startsWith(this.#prefix, tail)) return at;
      if (this.#remark && startsWith(this.#remark, tail)) return at;
      at = bytes.indexOf(ESC, at + 1);
    }
    return bytes.byteLength;
  }
}

function startsWith(whole: Buffer, start: Buffer): boolean {
  return start.byteLength <= whole.byteLength && whole.subarray(0, start.byteLength).equals(start);
}

function parseNote(text: string): StreamItem | undefined {
  const match = /^(begin|end|left)(?::(\d{1,10}))?$/.exec(text);
  if (!match) return undefined;
  const note = match[1] as 'begin' | 'end' | 'left';
  return { kind: 'note', note, status: match[2] === undefined ? undefined : Number(match[2]) };
}
