import type { IDecoration, IMarker, Terminal } from '@xterm/xterm';
import { failureText, isFailure } from './command-status.ts';

/** Older prompts are scrolled away sooner or later; their markers go with them. */
const MOST_PROMPTS = 1_000;
/** Shells within shells that are told apart; nobody nests deeper. */
const MOST_SHELLS = 16;
/** How long the prompt that was jumped to is pointed out (ms). */
const POINT_OUT_MS = 1_200;
/** Names the shell that a mark is of, where one runs within another. */
const SHELL = /^aid=(.*)$/;

/** A command and where its output stands. */
export interface CommandOutput {
  /** As it was typed; empty where the shell did not say. */
  readonly command: string;
  readonly begins: IMarker;
  /** The line that the cursor was in when it ended, and how much of that line is still output; absent while it runs. */
  readonly ends: { readonly marker: IMarker; readonly columns: number } | undefined;
}

/**
 * Reads the shell's marks (`OSC 633`/`133`): where prompts are, to jump between them, and which commands failed, to show
 * it in the margin. A shell without marks simply has none.
 */
export class CommandMarks {
  readonly #terminal: Terminal;
  readonly #failed: (text: string) => void;
  /** In the order they came. */
  #prompts: IMarker[] = [];
  /** By shell: the prompt at which its last command was typed. */
  readonly #typedAt = new Map<string, IMarker>();
  #atPrompt = false;
  #pointer: IDecoration | undefined;
  #last: (CommandOutput & { readonly shell: string }) | undefined;
  /** Told just before its output begins. */
  #command = '';

  /** @param failed told of each command that fails, in words */
  constructor(terminal: Terminal, failed: (text: string) => void) {
    this.#terminal = terminal;
    this.#failed = failed;
    for (const ident of [633, 133]) {
      terminal.parser.registerOscHandler(ident, (data) => this.#onMark(data));
    }
  }

  /** Whether the shell waits for a command line, as far as is known. */
  get atPrompt(): boolean {
    return this.#atPrompt;
  }

  /** The newest command that has printed, or may print yet. */
  get last(): CommandOutput | undefined {
    return this.#last;
  }

  /** Scrolls to the prompt before (-1) or after (1) the one at the top of the view. */
  jump(direction: -1 | 1): void {
    const top = this.#terminal.buffer.active.viewportY;
    const prompts = this.#prompts.filter(({ line }) => line >= 0);
    const target =
      direction < 0
        ? prompts.findLast(({ line }) => line < top)
        : prompts.find(({ line }) => line > top);
    if (target) {
      this.#terminal.scrollToLine(target.line);
      this.#pointOut(target);
    } else if (direction > 0) this.#terminal.scrollToBottom();
  }

  clear(): void {
    for (const marker of this.#prompts) marker.dispose();
    this.#prompts = [];
    this.#typedAt.clear();
    this.#atPrompt = false;
    this.#last = undefined;
  }

  #onMark(data: string): boolean {
    const [letter, ...values] = data.split(';');
    const shell = values.flatMap((value) => SHELL.exec(value)?.[1] ?? []).at(-1) ?? '';
    switch (letter) {
      case 'A':
        this.#atPrompt = true;
        this.#typeAt(shell, this.#remember(0));
        break;
      case 'E':
        this.#command = commandOf(values[0] ?? '');
        break;
      case 'C':
        this.#atPrompt = false;
        this.#begin(shell);
        // The screen was cleared at the prompt (Ctrl-L), and the prompt drawn again without its mark.
        if (this.#typedAt.get(shell)?.isDisposed) this.#typeAt(shell, this.#remember(-1));
        break;
      case 'D': {
        this.#end(shell);
        const status = Number.parseInt(values[0] ?? '', 10);
        if (isFailure(status)) this.#showFailure(status, this.#typedAt.get(shell));
        break;
      }
    }
    return true;
  }

  #begin(shell: string): void {
    if (this.#terminal.buffer.active.type !== 'normal') return;
    this.#last?.begins.dispose();
    this.#last?.ends?.marker.dispose();
    const begins = this.#terminal.registerMarker(0);
    this.#last = { shell, command: this.#command, begins, ends: undefined };
    this.#command = '';
  }

  #end(shell: string): void {
    const last = this.#last;
    const { active } = this.#terminal.buffer;
    if (last?.shell !== shell || last.ends || active.type !== 'normal') return;
    const marker = this.#terminal.registerMarker(0);
    this.#last = { ...last, ends: { marker, columns: active.cursorX } };
  }

  #typeAt(shell: string, prompt: IMarker | undefined): void {
    this.#typedAt.delete(shell);
    if (prompt) this.#typedAt.set(shell, prompt);
    if (this.#typedAt.size <= MOST_SHELLS) return;
    const [oldest = ''] = this.#typedAt.keys();
    this.#typedAt.delete(oldest);
  }

  /** @param offset of its line from the cursor's */
  #remember(offset: number): IMarker | undefined {
    if (this.#terminal.buffer.active.type !== 'normal') return undefined;
    const marker = this.#terminal.registerMarker(offset);
    this.#prompts.push(marker);
    marker.onDispose(() => {
      this.#prompts = this.#prompts.filter((other) => other !== marker);
    });
    if (this.#prompts.length > MOST_PROMPTS) this.#prompts[0]?.dispose();
    return marker;
  }

  /** Beside the prompt where the command was typed, in the margin and by its shape as well as by colour. */
  #showFailure(status: number, marker: IMarker | undefined): void {
    const text = failureText(status);
    this.#failed(text);
    if (!marker || marker.isDisposed) return;
    const decoration = this.#terminal.registerDecoration({ marker, x: 0, width: 1 });
    decoration?.onRender((element) => {
      element.classList.add('qs-failed-command');
      element.title = text;
      element.role = 'img';
      element.ariaLabel = text;
    });
  }

  #pointOut(marker: IMarker): void {
    this.#pointer?.dispose();
    const width = this.#terminal.cols;
    const pointer = this.#terminal.registerDecoration({ marker, x: 0, width, layer: 'bottom' });
    this.#pointer = pointer;
    pointer?.onRender((element) => element.classList.add('qs-pointed-out'));
    setTimeout(() => pointer?.dispose(), POINT_OUT_MS);
  }
}

/** What the shell has written as `\\x3b`, so that it ends no mark, and a backslash as two. */
function commandOf(written: string): string {
  return written.replaceAll(/\\(?:\\|x([0-9a-f]{2}))/g, (_, code?: string) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
