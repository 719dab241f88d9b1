import { Buffer } from 'node:buffer';

/** What a shell's stream consists of: its output, and control notes of ours. */
export type StreamItem =
  | { readonly kind: 'output'; readonly bytes: Buffer }
  /** `begin`: the shell starts now. `end`: it has ended. `left`: its transport has broken. */
  | {
      readonly kind: 'note';
      readonly note: 'begin' | 'end' | 'left';
      readonly status: number | undefined;
    };

const ESC = 0x1b;
const BACKSLASH = 0x5c;
/** A note ends with `ESC \`. */
const TERMINATOR_BYTES = 2;
/** A note is a word and a number; anything longer is another program's text. */
const LONGEST_NOTE = 32;
const NOTHING = Buffer.alloc(0);

/** The shell text that prints a control note about the terminal whose id is in a variable; `word` may contain `$?`. */
export function printNote(idVariable: string, word: string): string {
  return `printf '\\033_quayside:%s:%s\\033\\134' "${idVariable}" "${word}"`;
}

/**
 * Finds the control notes in a shell's stream, cut anywhere, and takes them out. A note travels in the stream, so it
 * cannot overtake the output before it: after `end` nothing of the shell's output is still under way.
 */
export class ControlScanner {
  readonly #prefix: Buffer;
  readonly #remark: Buffer | undefined;
  #held: Buffer = NOTHING;

  /** @param remark something else that is taken out: what a program on the way prints about itself */
  constructor(id: string, remark?: Buffer) {
    this.#prefix = Buffer.from(`\x1b_quayside:${id}:`);
    this.#remark = remark;
  }

  /**
   * What `chunk` holds, in order. The end of a chunk that could be the start of a note waits for the next one. Looks at
   * each byte a few times at most, whatever it resembles.
   */
  push(chunk: Buffer): readonly StreamItem[] {
    // Most of a flood.
    if (this.#held.byteLength === 0 && chunk.indexOf(ESC) < 0) {
      return chunk.byteLength > 0 ? [{ kind: 'output', bytes: chunk }] : [];
    }
    const bytes = this.#held.byteLength > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = NOTHING;
    const items: StreamItem[] = [];
    let done = 0;
    const output = (upTo: number): void => {
      if (upTo > done) items.push({ kind: 'output', bytes: bytes.subarray(done, upTo) });
      done = upTo;
    };
    let note = positionOf(this.#prefix, bytes, 0);
    let remark = positionOf(this.#remark, bytes, 0);
    while (Math.min(note, remark) < bytes.byteLength) {
      if (remark < note) {
        output(remark);
        done = remark + (this.#remark?.byteLength ?? 0);
        remark = positionOf(this.#remark, bytes, done);
        continue;
      }
      const from = note + this.#prefix.byteLength;
      const end = noteEnd(bytes, from);
      if (end + 1 >= bytes.byteLength) {
        output(note);
        this.#held = Buffer.from(bytes.subarray(note));
        return items;
      }
      const parsed = isTerminator(bytes, end)
        ? parseNote(bytes.toString('latin1', from, end))
        : undefined;
      if (parsed) {
        output(note);
        items.push(parsed);
        done = end + TERMINATOR_BYTES;
      }
      note = positionOf(this.#prefix, bytes, parsed ? done : from);
    }
    const hold = this.#startOfSomethingIn(bytes, done);
    output(hold);
    this.#held = Buffer.from(bytes.subarray(hold));
    return items;
  }

  /** What was held back, once no more will come. */
  flush(): Buffer {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }

  /** Where a tail begins that the next chunk could make into a note. */
  #startOfSomethingIn(bytes: Buffer, from: number): number {
    const longest = Math.max(this.#prefix.byteLength, this.#remark?.byteLength ?? 0) - 1;
    for (let at = Math.max(from, bytes.byteLength - longest); at < bytes.byteLength; at++) {
      if (bytes[at] !== ESC) continue;
      if (endsWithStartOf(this.#prefix, bytes, at)) return at;
      if (this.#remark && endsWithStartOf(this.#remark, bytes, at)) return at;
    }
    return bytes.byteLength;
  }
}

/** Where `what` stands in `bytes`, from `from` on; infinity where it does not. */
function positionOf(what: Buffer | undefined, bytes: Buffer, from: number): number {
  const at = what ? bytes.indexOf(what, from) : -1;
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

/** Where a note that begins at `from` ends: at the next ESC, at its limit, or at the end of the bytes. */
function noteEnd(bytes: Buffer, from: number): number {
  const limit = Math.min(bytes.byteLength, from + LONGEST_NOTE);
  let at = from;
  while (at < limit && bytes[at] !== ESC) at += 1;
  return at;
}

function isTerminator(bytes: Buffer, at: number): boolean {
  return bytes[at] === ESC && bytes[at + 1] === BACKSLASH;
}

/** Whether all of `bytes` from `at` on is the beginning of `whole`. */
function endsWithStartOf(whole: Buffer, bytes: Buffer, at: number): boolean {
  const length = bytes.byteLength - at;
  if (length > whole.byteLength) return false;
  for (let index = 0; index < length; index++) {
    if (whole[index] !== bytes[at + index]) return false;
  }
  return true;
}

function parseNote(text: string): StreamItem | undefined {
  const match = /^(begin|end|left)(?::(\d{1,10}))?$/.exec(text);
  if (!match) return undefined;
  const note = match[1] as 'begin' | 'end' | 'left';
  return { kind: 'note', note, status: match[2] === undefined ? undefined : Number(match[2]) };
}
