import { Buffer } from 'node:buffer';
import { Modes } from './modes.ts';
import { Ring } from './ring.ts';
import { ShellIntegration, type ShellIntegrationListener } from './shell-integration.ts';

/** More than the scrollback that a page keeps; less than anybody notices. */
export const RING_BYTES = 2 * 1024 * 1024;
/** Of a ring that has lost its beginning, a replay starts at the first line that begins within so many bytes. */
const LINE_START_WITHIN = 16 * 1024;

/** What a shell has printed: the last of it by running offset, and what the rest still means. */
export class Output {
  readonly #ring = new Ring(RING_BYTES);
  readonly #modes = new Modes();
  readonly #marks: ShellIntegration;

  /** @param marks told of the shell's marks */
  constructor(marks: ShellIntegrationListener) {
    this.#marks = new ShellIntegration(marks);
  }

  /** The offset of the oldest byte that is kept. */
  get start(): number {
    return this.#ring.start;
  }

  /** The offset that the next byte will have. */
  get head(): number {
    return this.#ring.head;
  }

  append(bytes: Buffer): void {
    this.#ring.append(bytes, (evicted) => this.#modes.feed(evicted));
    this.#marks.feed(bytes);
  }

  /** As {@link Ring.read}. */
  read(offset: number, max: number): Uint8Array {
    return this.#ring.read(offset, max);
  }

  /** A copy of what came from an offset on, as far as it is still kept. */
  since(offset: number): Buffer {
    const pieces: Uint8Array[] = [];
    for (let at = Math.max(offset, this.start); at < this.head; ) {
      const piece = this.read(at, this.head - at);
      pieces.push(piece);
      at += piece.byteLength;
    }
    return Buffer.concat(pieces);
  }

  /** Where a page that has nothing begins, and the bytes that put it into the modes of there. */
  replayStart(): { readonly offset: number; readonly preamble: Uint8Array } {
    const { start } = this.#ring;
    if (start === 0) return { offset: 0, preamble: new Uint8Array() };
    // Not in the middle of a sequence or of a character, if it can be helped.
    const first = this.#ring.read(start, LINE_START_WITHIN);
    const skip = first.indexOf(0x0a) + 1;
    const modes = new Modes(this.#modes);
    modes.feed(first.subarray(0, skip));
    return { offset: start + skip, preamble: modes.preamble() };
  }
}
