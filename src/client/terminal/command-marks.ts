import type { IMarker, Terminal } from '@xterm/xterm';

/** Older prompts are scrolled away sooner or later; their markers go with them. */
const MOST_PROMPTS = 1_000;

/**
 * Reads the shell's marks (`OSC 633`/`133`): where prompts are, to jump between them, and which commands failed, to show
 * it in the margin. A shell without marks simply has none.
 */
export class CommandMarks {
  readonly #terminal: Terminal;
  #prompts: IMarker[] = [];
  #atPrompt = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    for (const ident of [633, 133]) {
      terminal.parser.registerOscHandler(ident, (data) => this.#onMark(data));
    }
  }

  /** Whether the shell waits for a command line, as far as is known. */
  get atPrompt(): boolean {
    return this.#atPrompt;
  }

  /** Scrolls to the prompt before (-1) or after (1) the one at the top of the view. */
  jump(direction: -1 | 1): void {
    const top = this.#terminal.buffer.active.viewportY;
    const lines = this.#prompts.map(({ line }) => line).filter((line) => line >= 0);
    const target =
      direction < 0 ? lines.findLast((line) => line < top) : lines.find((line) => line > top);
    if (target !== undefined) this.#terminal.scrollToLine(target);
    else if (direction > 0) this.#terminal.scrollToBottom();
  }

  clear(): void {
    for (const marker of this.#prompts) marker.dispose();
    this.#prompts = [];
    this.#atPrompt = false;
  }

  #onMark(data: string): boolean {
    const [letter, value] = data.split(';');
    switch (letter) {
      case 'A':
        this.#atPrompt = true;
        this.#remember();
        break;
      case 'C':
        this.#atPrompt = false;
        break;
      case 'D': {
        const status = Number.parseInt(value ?? '', 10);
        if (status > 0) this.#showFailure(status);
        break;
      }
    }
    return true;
  }

  #remember(): void {
    if (this.#terminal.buffer.active.type !== 'normal') return;
    const marker = this.#terminal.registerMarker(0);
    this.#prompts.push(marker);
    marker.onDispose(() => {
      this.#prompts = this.#prompts.filter((other) => other !== marker);
    });
    if (this.#prompts.length > MOST_PROMPTS) this.#prompts[0]?.dispose();
  }

  /** Beside the prompt where the command was typed, in the margin and by its shape as well as by colour. */
  #showFailure(status: number): void {
    const marker = this.#prompts.at(-1);
    if (!marker || marker.isDisposed) return;
    const decoration = this.#terminal.registerDecoration({ marker, x: 0, width: 1 });
    decoration?.onRender((element) => {
      element.classList.add('qs-failed-command');
      element.title = `This command ended with status ${status}`;
    });
  }
}
