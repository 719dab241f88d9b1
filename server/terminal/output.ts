import { Buffer } from 'node:buffer';
import { type EscapeListener, EscapeParser } from './escape-parser.ts';
import { Modes } from './modes.ts';

/** More than the scrollback that a page keeps; a hundred terminals cost 200 MiB. */
export const RING_BYTES = 2 * 1024 * 1024;
/** What a ring starts with; an idle terminal never needs more. */
const FIRST_BYTES = 16 * 1024;
/** Places where a replay can begin, of a ring that is full: 16 KiB from one to the next, and some hundred bytes each. */
const MOST_CHECKPOINTS = 128;
const LINE_END = Buffer.from('\r\n');
const LINE_FEED = 0x0a;

/** A place where a replay can begin: at a line, between sequences and characters. */
interface Checkpoint {
  readonly offset: number;
  /** Brings a fresh terminal to the modes and colours of here. */
  readonly preamble: Buffer;
  readonly isAlternate: boolean;
  /** From here to the next checkpoint, there is only text that goes on from line to line. */
  plainFrom: number;
  /** … of which each line feed at the bottom scrolls the whole screen. */
  scrolls: boolean;
}

/** Where a replay begins. */
export interface ReplayStart {
  readonly offset: number;
  readonly preamble: Uint8Array;
  /** The screen will be as if all output had been replayed. */
  readonly isWhole: boolean;
}

/**
 * What a shell has printed: the last bytes in a ring, each at its running offset since the shell's first, and what the
 * lost ones still mean. Bounded; grows to its bound only when so much was printed.
 */
export class Output {
  readonly #limit: number;
  readonly #modes = new Modes();
  readonly #parser: EscapeParser;
  readonly #every: number;
  /** The oldest first. */
  readonly #checkpoints: Checkpoint[] = [];
  #ring: Buffer;
  #head = 0;

  /**
   * @param limit the most that is kept, in bytes
   * @param osc told of each OSC in the output, when the ring has it
   */
  constructor(limit = RING_BYTES, osc?: EscapeListener['osc']) {
    this.#limit = limit;
    this.#every = limit / MOST_CHECKPOINTS;
    this.#ring = Buffer.allocUnsafeSlow(Math.min(FIRST_BYTES, limit));
    this.#parser = new EscapeParser({
      escape: (final) => this.#modes.escape(final),
      csi: (bytes, from, to) => this.#modes.csi(bytes, from, to),
      osc: (bytes, from, to) => {
        this.#modes.osc(bytes, from, to);
        osc?.(bytes, from, to);
      },
    });
    this.#addCheckpoint(0);
  }

  /** The offset of the oldest byte that is kept. */
  get start(): number {
    return Math.max(0, this.#head - this.#limit);
  }

  /** The offset that the next byte will have. */
  get head(): number {
    return this.#head;
  }

  /** The screen's height. */
  set rows(rows: number) {
    this.#modes.rows = rows;
  }

  append(bytes: Buffer): void {
    const from = this.#head;
    this.#makeRoomFor(bytes.byteLength);
    const kept = bytes.byteLength > this.#limit ? bytes.subarray(-this.#limit) : bytes;
    const at = (from + bytes.byteLength - kept.byteLength) % this.#ring.byteLength;
    const first = Math.min(kept.byteLength, this.#ring.byteLength - at);
    this.#ring.set(kept.subarray(0, first), at);
    this.#ring.set(kept.subarray(first), 0);
    this.#head += bytes.byteLength;
    this.#lookThrough(bytes, from);
    const { start } = this;
    while ((this.#checkpoints[0]?.offset ?? start) < start) this.#checkpoints.shift();
  }

  /**
   * Up to `max` bytes from `offset` on; fewer where the ring wraps round, none at the head. A view that holds until
   * the next {@link append}.
   */
  read(offset: number, max: number): Buffer {
    if (offset < this.start || offset > this.#head) throw new RangeError('offset not in the ring');
    const at = offset % this.#ring.byteLength;
    const length = Math.min(max, this.#head - offset, this.#ring.byteLength - at);
    return this.#ring.subarray(at, at + length);
  }

  /** A copy of what came from an offset on, as far as it is still kept. */
  since(offset: number): Buffer {
    return Buffer.concat([...this.#parts(Math.max(offset, this.start), this.#head)]);
  }

  /** Where the replay of all that is kept begins. */
  oldest(): ReplayStart {
    const isWhole = this.start === 0;
    const [oldest] = this.#checkpoints;
    if (oldest) return { ...placeOf(oldest), isWhole };
    return { offset: this.#head, preamble: this.#modes.preamble(), isWhole };
  }

  /**
   * Where a short replay begins that ends with the same screen: `bytes` before the end, or as far before that as it
   * takes. A full-screen program draws its screen again, so there the bytes are enough.
   */
  newest(bytes: number, rows: number): ReplayStart {
    // So many lines without anything else: the first of them reach the bottom, the others scroll all out that was before.
    const lines = 2 * rows;
    const { isAlternate } = this.#modes;
    let isWhole = false;
    for (const { checkpoint, together } of this.#backwards(lines)) {
      isWhole ||= together >= lines;
      if (this.#head - checkpoint.offset < bytes || !(isWhole || isAlternate)) continue;
      return { ...placeOf(checkpoint), isWhole: isAlternate ? !checkpoint.isAlternate : isWhole };
    }
    return this.oldest();
  }

  /** Where a replay begins that brings back so many lines above the screen, or all that are kept. */
  withScrollback(lines: number, rows: number): ReplayStart {
    for (const { checkpoint, scrolled } of this.#backwards(lines + rows, rows))
      if (scrolled >= lines) return { ...placeOf(checkpoint), isWhole: true };
    return this.oldest();
  }

  /**
   * The checkpoints from the newest on: how many lines follow each in one go, up to `most`, and how many have scrolled
   * above a screen of so many rows since.
   */
  *#backwards(
    most: number,
    rows = 0,
  ): Generator<{ checkpoint: Checkpoint; together: number; scrolled: number }> {
    let end = this.#head;
    let together = 0;
    let scrolled = 0;
    for (const checkpoint of this.#checkpoints.toReversed()) {
      if (checkpoint.scrolls) together += this.#lines(checkpoint.plainFrom, end, most - together);
      yield { checkpoint, together, scrolled: scrolled + Math.max(0, together - rows) };
      end = checkpoint.offset;
      if (checkpoint.scrolls && checkpoint.plainFrom === end) continue;
      scrolled += Math.max(0, together - rows);
      together = 0;
    }
  }

  /** How many lines end within a part of the ring, up to `most`. */
  #lines(from: number, to: number, most: number): number {
    let lines = 0;
    for (const part of this.#parts(from, to)) {
      for (let at = part.indexOf(LINE_FEED); at >= 0; at = part.indexOf(LINE_FEED, at + 1)) {
        if (lines >= most) return lines;
        lines += 1;
      }
    }
    return lines;
  }

  *#parts(from: number, to: number): Generator<Buffer> {
    for (let at = from; at < to; ) {
      const part = this.read(at, to - at);
      yield part;
      at += part.byteLength;
    }
  }

  /** Finds sequences in new output, and makes checkpoints in it. */
  #lookThrough(bytes: Buffer, from: number): void {
    // Where no line ends for long, a place between two sequences has to do; but never within a character.
    const isLate = from - this.#lastCheckpoint >= 2 * this.#every;
    if (isLate && this.#parser.isBetween && !isContinuation(bytes[0])) this.#addCheckpoint(from);
    let done = 0;
    for (;;) {
      const due = this.#lastCheckpoint + this.#every - LINE_END.byteLength - from;
      const end = due < bytes.byteLength ? bytes.indexOf(LINE_END, Math.max(done, due)) : -1;
      if (end < 0) break;
      this.#parse(bytes.subarray(done, end + LINE_END.byteLength), from + done);
      done = end + LINE_END.byteLength;
      if (this.#parser.isBetween) this.#addCheckpoint(from + done);
    }
    this.#parse(bytes.subarray(done), from + done);
  }

  #parse(bytes: Buffer, offset: number): void {
    this.#parser.feed(bytes);
    const newest = this.#checkpoints.at(-1);
    // A line feed within a string scrolls nothing.
    const isPlain = !this.#modes.takeMoved() && this.#parser.isBetween;
    if (isPlain || !newest) return;
    newest.plainFrom = offset + bytes.byteLength;
    newest.scrolls = this.#modes.scrolls;
  }

  get #lastCheckpoint(): number {
    return this.#checkpoints.at(-1)?.offset ?? 0;
  }

  #addCheckpoint(offset: number): void {
    const { isAlternate, scrolls } = this.#modes;
    const preamble = this.#modes.preamble();
    const last = this.#checkpoints.at(-1)?.preamble;
    this.#checkpoints.push({
      offset,
      preamble: last?.equals(preamble) ? last : preamble,
      isAlternate,
      plainFrom: offset,
      scrolls,
    });
  }

  #makeRoomFor(length: number): void {
    const wanted = Math.min(this.#limit, this.#head + length);
    if (wanted <= this.#ring.byteLength) return;
    let size = this.#ring.byteLength;
    while (size < wanted) size = Math.min(this.#limit, size * 2);
    const larger = Buffer.allocUnsafeSlow(size);
    // Below its bound the ring has never wrapped, so offsets and positions are the same.
    larger.set(this.#ring.subarray(0, this.#head));
    this.#ring = larger;
  }
}

function placeOf({ offset, preamble }: Checkpoint): Pick<ReplayStart, 'offset' | 'preamble'> {
  return { offset, preamble };
}

/** Whether a byte is within a character of UTF-8, and not its first. */
function isContinuation(byte = 0): boolean {
  return byte >> 6 === 0b10;
}
