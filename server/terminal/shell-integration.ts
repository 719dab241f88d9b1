import type { Buffer } from 'node:buffer';
import type { EscapeListener } from './escape-parser.ts';

/** A command line that has finished in a shell with marks. */
export interface FinishedCommand {
  readonly line: string;
  readonly status: number;
}

/** `633;` and `133;`, and the letter after them. */
const CODE_BYTES = 4;
/** Shells within shells whose command lines are remembered; no one nests deeper. */
const MOST_SHELLS = 16;
const SHELL = ';aid=';
const ONE = 0x31;
const THREE = 0x33;
const SIX = 0x36;
const SEMICOLON = 0x3b;
/** The letters of the marks that make a finished command: E and D. */
const LINE = 0x45;
const DONE = 0x44;

/**
 * Finished commands that are reported: so many at once, and so many a second. A paste of a thousand lines has one each. A
 * program that prints marks without end has a million a second, and each would be a signal with all that follows from
 * it; beyond these limits they are not even decoded.
 */
const COMMANDS_AT_ONCE = 1_000;
const COMMANDS_A_SECOND = 100;

/** What marks tell. `shell` is the shell's own name of itself, "" where it has none. */
export interface ShellIntegrationListener {
  finished(command: FinishedCommand): void;
  /** A shell shows its prompt and waits for a line. */
  prompted?(shell: string): void;
  /** A shell wants more of the command that it was given: `> `. */
  continued?(shell: string): void;
  /** A shell has taken a line and runs it. */
  started?(shell: string): void;
}

/**
 * Reads the marks that a shell puts into its output: `OSC 633 ; A` before a prompt, `F` before that of a line that goes
 * on, `E ; line` and `C` before a command runs, `D ; status` after it (133 means the same). `aid=` says which shell's, where one runs within another.
 *
 * Whatever runs in the terminal can print marks as well: they tell what the learner seems to have done, and prove
 * nothing.
 */
export class ShellIntegration implements EscapeListener {
  readonly #listener: ShellIntegrationListener;
  /** By shell: the command line that runs in it. */
  readonly #lines = new Map<string, string>();
  /** How many more finished commands may be reported, and as of when (ms). */
  #credit = COMMANDS_AT_ONCE;
  #creditAt = performance.now();

  constructor(listener: ShellIntegrationListener) {
    this.#listener = listener;
  }

  osc(bytes: Buffer, from: number, to: number): void {
    if (!isMark(bytes, from, to)) return;
    if (this.#credit < COMMANDS_AT_ONCE) this.#earn();
    const letter = bytes[from + CODE_BYTES];
    if (this.#credit < 1 && (letter === LINE || letter === DONE)) this.#lines.clear();
    else this.#take(bytes.toString('utf8', from + CODE_BYTES, to));
  }

  #take(mark: string): void {
    const shell = shellOf(mark);
    switch (mark[0]) {
      case 'A':
        // At its prompt it runs nothing, whatever it said before.
        this.#lines.delete(shell);
        this.#listener.prompted?.(shell);
        break;
      case 'F':
        this.#listener.continued?.(shell);
        break;
      case 'C':
        this.#listener.started?.(shell);
        break;
      case 'E':
        this.#lines.delete(shell);
        this.#lines.set(shell, unescapeLine(firstField(mark)));
        if (this.#lines.size > MOST_SHELLS) {
          const [oldest = ''] = this.#lines.keys();
          this.#lines.delete(oldest);
        }
        break;
      case 'D': {
        const line = this.#lines.get(shell);
        this.#lines.delete(shell);
        const status = Number.parseInt(firstField(mark), 10);
        if (line === undefined || !Number.isInteger(status)) break;
        this.#credit -= 1;
        this.#listener.finished({ line, status });
        break;
      }
    }
  }

  #earn(): void {
    const now = performance.now();
    const earned = ((now - this.#creditAt) / 1000) * COMMANDS_A_SECOND;
    this.#credit = Math.min(COMMANDS_AT_ONCE, this.#credit + earned);
    this.#creditAt = now;
  }
}

/** `633;` or `133;`, a letter, and `;` or nothing. Most OSCs are titles and links. */
function isMark(bytes: Buffer, from: number, to: number): boolean {
  const letter = from + CODE_BYTES;
  return (
    to > letter &&
    bytes[letter - 1] === SEMICOLON &&
    bytes[letter - 2] === THREE &&
    bytes[letter - 3] === THREE &&
    (bytes[from] === SIX || bytes[from] === ONE) &&
    (to === letter + 1 || bytes[letter + 1] === SEMICOLON)
  );
}

/** What follows the letter. */
function firstField(mark: string): string {
  const end = mark.indexOf(';', 2);
  return end < 0 ? mark.slice(2) : mark.slice(2, end);
}

/** Which shell a mark is of. */
function shellOf(mark: string): string {
  const at = mark.lastIndexOf(SHELL);
  if (at < 0) return '';
  const end = mark.indexOf(';', at + 1);
  return end < 0 ? mark.slice(at + SHELL.length) : mark.slice(at + SHELL.length, end);
}

/** `\xHH` is a byte, `\\` a backslash; the shell escapes `;` and control characters so. */
function unescapeLine(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|\\)/g, (_, hex: string | undefined) =>
    hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
