import { Buffer } from 'node:buffer';

/** A command line that has finished in a shell with marks. */
export interface FinishedCommand {
  readonly line: string;
  readonly status: number;
}

const ESC = 0x1b;
const BRACKET = 0x5d;
const OPENERS = [Buffer.from('\x1b]633;'), Buffer.from('\x1b]133;')];
const OPENER_BYTES = 6;
/** A longer mark is dropped: nobody types such a line, but anybody may print one. */
const LONGEST_MARK = 8 * 1024;
/** Shells within shells whose command lines are remembered; nobody nests deeper. */
const MOST_SHELLS = 16;
/** Names the shell that a mark is of. */
const SHELL = /^aid=(.*)$/;

/** What marks tell. `shell` is the shell's own name of itself, "" where it has none. */
export interface ShellIntegrationListener {
  finished(command: FinishedCommand): void;
  /** A shell shows its prompt and waits for a line. */
  prompted?(shell: string): void;
  /** A shell has taken a line and runs it. */
  started?(shell: string): void;
}

/**
 * Reads the marks that a shell puts into its output: `OSC 633 ; A` before a prompt, `E ; line` and `C` before a command
 * runs, `D ; status` after it (133 means the same). `aid=` says which shell's, where one runs within another. Works on
 * the stream as it comes, cut anywhere, and changes nothing in it.
 *
 * Whatever runs in the terminal can print marks as well: they tell what the learner seems to have done, and prove
 * nothing.
 */
export class ShellIntegration {
  readonly #listener: ShellIntegrationListener;
  /** By shell: the command line that runs in it. */
  readonly #lines = new Map<string, string>();
  #held: Buffer = Buffer.alloc(0);

  constructor(listener: ShellIntegrationListener) {
    this.#listener = listener;
  }

  feed(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#held.byteLength > 0) {
      bytes = Buffer.concat([this.#held, chunk]);
      this.#held = Buffer.alloc(0);
    }
    let at = bytes.indexOf(ESC);
    while (at >= 0) {
      // Colours are escapes too, and a flood may be full of them: look at one byte before anything else.
      const next = bytes[at + 1];
      if (next !== undefined && next !== BRACKET) {
        at = bytes.indexOf(ESC, at + 1);
        continue;
      }
      const rest = bytes.subarray(at);
      if (isOpened(rest)) {
        const end = endOf(rest);
        if (end === undefined) {
          if (rest.byteLength <= LONGEST_MARK) this.#held = Buffer.from(rest);
          return;
        }
        if (end <= LONGEST_MARK) this.#take(rest.toString('utf8', OPENER_BYTES, end));
        at = bytes.indexOf(ESC, at + Math.max(end, 1));
        continue;
      }
      if (rest.byteLength < OPENER_BYTES && OPENERS.some((opener) => startsWith(opener, rest))) {
        this.#held = Buffer.from(rest);
        return;
      }
      at = bytes.indexOf(ESC, at + 1);
    }
  }

  #take(mark: string): void {
    const [letter, ...rest] = mark.split(';');
    const shell = rest.flatMap((part) => SHELL.exec(part)?.[1] ?? []).at(-1) ?? '';
    switch (letter) {
      case 'A':
        // At its prompt it runs nothing, whatever it said before.
        this.#lines.delete(shell);
        this.#listener.prompted?.(shell);
        break;
      case 'C':
        this.#listener.started?.(shell);
        break;
      case 'E':
        this.#lines.delete(shell);
        this.#lines.set(shell, unescapeLine(rest[0] ?? ''));
        if (this.#lines.size > MOST_SHELLS) {
          const [oldest = ''] = this.#lines.keys();
          this.#lines.delete(oldest);
        }
        break;
      case 'D': {
        const line = this.#lines.get(shell);
        this.#lines.delete(shell);
        const status = Number.parseInt(rest[0] ?? '', 10);
        if (line !== undefined && Number.isInteger(status))
          this.#listener.finished({ line, status });
        break;
      }
    }
  }
}

function isOpened(bytes: Buffer): boolean {
  return OPENERS.some((opener) => bytes.subarray(0, OPENER_BYTES).equals(opener));
}

function startsWith(whole: Buffer, start: Buffer): boolean {
  return whole.subarray(0, start.byteLength).equals(start);
}

/** Where a mark's text ends: at BEL, at ESC \, or where another escape breaks it off. */
function endOf(bytes: Buffer): number | undefined {
  const bell = bytes.indexOf(0x07, OPENER_BYTES);
  const broken = bytes.indexOf(ESC, OPENER_BYTES);
  if (bell >= 0 && (broken < 0 || bell < broken)) return bell;
  return broken >= 0 && broken + 1 < bytes.byteLength ? broken : undefined;
}

/** `\xHH` is a byte, `\\` a backslash; the shell escapes `;` and control characters so. */
function unescapeLine(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|\\)/g, (_, hex: string | undefined) =>
    hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
