/** A prompt and what a shell greets with; more than that is output. */
const GREETING_BYTES = 2 * 1024;
/** `C` of the shell's marks: a command begins. */
const COMMAND_MARKS = ['633;C', '133;C'].map((mark) => new TextEncoder().encode(mark));

/** Tells the first prompt of a shell, which is no news, from what happens in it later. */
export class Beginning {
  #over = false;

  /** @returns whether output up to `end` is still the shell's greeting */
  includes(bytes: Uint8Array, end: number): boolean {
    this.#over ||= end > GREETING_BYTES || COMMAND_MARKS.some((mark) => contains(bytes, mark));
    return !this.#over;
  }
}

function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
