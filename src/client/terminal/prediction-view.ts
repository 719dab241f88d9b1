import './prediction.css';
import type { IDisposable, Terminal } from '@xterm/xterm';
import { type CursorLine, type Prediction, Predictor } from './prediction.ts';
import type { RoundTrip } from './round-trip.ts';

/** The marks of a shell (docs/terminal-protocol.md): before a prompt, before that of a line that goes on, before a program. */
const PROMPTS = ['A', 'F'];
const PROGRAM = 'C';

/**
 * Draws what a {@link Predictor} foresees above a terminal's cells, with the cursor behind it. The terminal itself shows what
 * was printed, and nothing else.
 */
export class PredictionView implements Disposable {
  readonly #terminal: Terminal;
  readonly #screen: HTMLElement;
  readonly #times: RoundTrip;
  readonly #predictor: Predictor;
  readonly #listening: readonly IDisposable[];
  readonly #drawn = document.createElement('div');
  /** What is typed, underlined; the cursor stands after it. */
  readonly #text = document.createElement('u');
  #late: ReturnType<typeof setTimeout> | undefined;
  /** What the letter's width was measured of, and that width. */
  #letter: { readonly font: string; readonly width: number } | undefined;

  /** @param terminal which is open @param isAtPrompt its shell waits at a prompt, and nothing that was typed is under way */
  constructor(terminal: Terminal, screen: HTMLElement, times: RoundTrip, isAtPrompt: boolean) {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#times = times;
    this.#predictor = new Predictor(times, isAtPrompt);
    this.#drawn.className = 'qs-prediction';
    this.#drawn.ariaHidden = 'true';
    const cursor = document.createElement('i');
    cursor.textContent = ' ';
    this.#drawn.append(this.#text, cursor);
    const { parser } = terminal;
    this.#listening = [
      ...[633, 133].map((ident) => parser.registerOscHandler(ident, (data) => this.#onMark(data))),
      terminal.onWriteParsed(() => this.#onPrinted()),
      // In the frame in which the terminal shows it.
      terminal.onRender(() => this.#draw()),
      terminal.onResize(() => this.#forget()),
    ];
  }

  /** @param data as it goes to the shell @param isWanted whether its effect is to be foreseen */
  typed(data: string, isWanted: boolean): void {
    const seen = isWanted ? this.#look() : undefined;
    this.#predictor.typed(data, seen, this.#terminal.cols, performance.now());
    this.#draw();
    this.#watch();
  }

  [Symbol.dispose](): void {
    this.#forget();
    for (const each of this.#listening) each.dispose();
  }

  /** Others read the mark as well. */
  #onMark(data: string): boolean {
    const [letter = ''] = data.split(';', 1);
    if (PROMPTS.includes(letter)) this.#predictor.prompt(performance.now());
    else if (letter === PROGRAM) this.#predictor.program(performance.now());
    return false;
  }

  #onPrinted(): void {
    const took = this.#predictor.printed(this.#look(), performance.now());
    if (took !== undefined) this.#times.add(took);
    this.#watch();
  }

  /** An echo that does not come tells nobody. */
  #watch(): void {
    const { due } = this.#predictor;
    clearTimeout(this.#late);
    if (due === undefined) return;
    this.#late = setTimeout(() => {
      this.#predictor.late(this.#look(), performance.now());
      this.#draw();
      this.#watch();
    }, due - performance.now());
  }

  #forget(): void {
    this.#predictor.clear();
    clearTimeout(this.#late);
    this.#draw();
  }

  /** `undefined`: a program has the whole screen. */
  #look(): CursorLine | undefined {
    const { active } = this.#terminal.buffer;
    const line = active.baseY + active.cursorY;
    const cells = active.getLine(line);
    if (active.type !== 'normal' || !cells) return undefined;
    return {
      line,
      column: active.cursorX,
      before: cells.translateToString(false, 0, active.cursorX),
      isEnd: cells.translateToString(true, active.cursorX).trim() === '',
    };
  }

  #draw(): void {
    const { shown } = this.#predictor;
    const row = shown ? shown.seen.line - this.#terminal.buffer.active.viewportY : -1;
    if (!shown || row < 0 || row >= this.#terminal.rows) {
      if (this.#drawn.isConnected) this.#drawn.remove();
      return;
    }
    const { before, column } = shown.foreseen;
    const text = before.slice(before.length - (column - shown.from));
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#place(shown, row);
    if (!this.#drawn.isConnected) this.#screen.append(this.#drawn);
  }

  #place({ seen, foreseen, from }: Prediction, row: number): void {
    const { cols, rows } = this.#terminal;
    // xterm writes its size there.
    const width = Number.parseFloat(this.#screen.style.width) / cols;
    const height = Number.parseFloat(this.#screen.style.height) / rows;
    const { fontSize = 0, fontFamily = '' } = this.#terminal.options;
    const font = `${fontSize}px ${fontFamily}`;
    const style = {
      font,
      letterSpacing: `${width - this.#widthOf(font)}px`,
      lineHeight: `${height}px`,
      blockSize: `${height}px`,
      // The cursor that the terminal shows is covered.
      inlineSize: `${(Math.max(seen.column, foreseen.column) + 1 - from) * width}px`,
      translate: `${from * width}px ${row * height}px`,
    };
    Object.assign(this.#drawn.style, style);
  }

  #widthOf(font: string): number {
    if (this.#letter?.font !== font) {
      const context = document.createElement('canvas').getContext('2d');
      if (context) context.font = font;
      this.#letter = { font, width: context?.measureText('W').width ?? 0 };
    }
    return this.#letter.width;
  }
}
