import { terminalText } from '../server/labs/screen-text.ts';

/** What a command left behind. */
export interface CommandResult {
  /**
   * Exit status; of the last one where several were pasted together. `undefined` where the shell waits for a line again
   * and has not told of any end: after a syntax error, or in another shell that the command has begun.
   */
  readonly status: number | undefined;
  /** What it printed, as it reads on a screen that is wide enough. */
  readonly screen: string;
}

/** More characters than a lab's longest command prints; of more, the beginning is dropped. */
const OUTPUT_KEPT = 1024 * 1024;
/** Longer than any mark: one that has no end by then is none. */
const MARK_MOST = 4 * 1024;
const ESCAPE = '\u001b';
const BELL = '\u0007';
const MARK_BEGINS = `${ESCAPE}]633;`;
const PASTE_BEGINS = `${ESCAPE}[?2004`;
/**
 * The shell's marks before a command's output and after it (OSC 633, docs/terminal-protocol.md), and the line editor's
 * switch for pastes in brackets, which is on while it waits for a line.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in them.
const MARK = /\u001b\]633;(?:(C)|D;(\d+))[^\u0007\u001b]*\u0007|\u001b\[\?2004([hl])/g;

/** Follows commands through a terminal's output by the shell's own marks. Keeps what the newest one has printed. */
export class CommandFollower {
  #open = '';
  #isPrompted = false;
  #command: 'typed' | 'taken' | 'running' | 'ended' = 'ended';
  #status: number | undefined;
  #printed: string[] = [];
  #length = 0;
  #result: CommandResult | undefined;

  /** Whether the shell waits for a line. */
  get isPrompted(): boolean {
    return this.#isPrompted;
  }

  /** Whether the command that was typed runs. */
  get isRunning(): boolean {
    return this.#command === 'running';
  }

  /** What it has printed so far. */
  get printed(): string {
    return terminalText(this.#printed.join(''));
  }

  /** How the command ended that was typed after {@link begin}, once the shell waits for the next. */
  get result(): CommandResult | undefined {
    return this.#result;
  }

  /** A command is typed now. */
  begin(): void {
    this.#isPrompted = false;
    this.#command = 'typed';
    this.#status = undefined;
    this.#printed = [];
    this.#length = 0;
    this.#result = undefined;
  }

  /** Output, as it comes. */
  take(text: string): void {
    const all = this.#open + text;
    let from = 0;
    for (const mark of all.matchAll(MARK)) {
      this.#print(all.slice(from, mark.index));
      from = mark.index + mark[0].length;
      const [, begins, status, paste] = mark;
      if (begins !== undefined) this.#command = 'running';
      else if (status !== undefined) this.#end(Number(status));
      else this.#onPaste(paste === 'h');
    }
    const end = Math.max(from, endOfText(all));
    this.#print(all.slice(from, end));
    this.#open = all.slice(end);
  }

  #end(status: number): void {
    if (this.#command !== 'running') return;
    this.#command = 'ended';
    this.#status = status;
  }

  #onPaste(isOn: boolean): void {
    this.#isPrompted = isOn;
    // The editor lets go of the line that was typed; at the next one, its command is over.
    if (!isOn && this.#command === 'typed') this.#command = 'taken';
    if (isOn && this.#command !== 'typed') {
      this.#result ??= { status: this.#status, screen: this.printed };
    }
  }

  #print(text: string): void {
    if (this.#command !== 'running' || text === '') return;
    this.#printed.push(text);
    this.#length += text.length;
    for (;;) {
      const first = this.#printed[0]?.length ?? 0;
      if (this.#length - first < OUTPUT_KEPT) return;
      this.#printed.shift();
      this.#length -= first;
    }
  }
}

/** Where a mark may have begun that goes on in what comes next; the text's end, where none has. */
function endOfText(text: string): number {
  const at = text.lastIndexOf(ESCAPE);
  if (at < 0 || text.length - at > MARK_MOST) return text.length;
  const tail = text.slice(at);
  const isBegun =
    MARK_BEGINS.startsWith(tail) ||
    PASTE_BEGINS.startsWith(tail) ||
    (tail.startsWith(MARK_BEGINS) && !tail.includes(BELL));
  return isBegun ? at : text.length;
}
