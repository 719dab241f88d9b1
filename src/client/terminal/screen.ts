import type { FitAddon } from '@xterm/addon-fit';
import type { Terminal } from '@xterm/xterm';
import { CommandMarks } from './command-marks.ts';
import { CursorBlink } from './cursor-blink.ts';
import { Graphics } from './graphics.ts';
import { muteAnswers } from './mute-answers.ts';
import { isPageScrolled } from './page-scrolls.ts';
import { ParseTurns } from './parse-turns.ts';
import { terminalPreferences } from './preferences.ts';
import { shareReadableColours } from './readable-colours.ts';
import { onTextInput } from './text-input.ts';
import { currentTheme, THEMES } from './themes.ts';
import { type MendedTerminal, mendXterm } from './xterm-6.0.0.ts';

const FONT = "'Quayside Mono', ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
/** A font that takes longer is measured without: a terminal in another font is better than none. */
const FONT_MS = 1_500;
/** Lines kept above the screen; with the ring's 2 MiB on the server, a reload brings back about as much. */
export const SCROLLBACK = 5_000;
/** Text that is readable on its background (WCAG AA), whatever colours a program picks. */
const CONTRAST = 4.5;
/** Whether the cursor may blink. */
const REDUCED_MOTION = matchMedia('(prefers-reduced-motion: reduce)');
/** The first byte of UTF-8 whose width may depend on its neighbours or be two: from here on the large table is needed. */
const WIDE_FROM = 0xe3;
/** Combining marks begin here … */
const COMBINING_FROM = 0xcc;
/** … and end here; between them and WIDE_FROM are scripts and box drawing that are as wide as they look. */
const COMBINING_TO = 0xcd;
/** Joiners, variation selectors and the older emoji live behind this byte; box drawing does too. */
const SYMBOLS = 0xe2;
const BOX_DRAWING: readonly number[] = [0x94, 0x95, 0x96];

/** What a screen tells its pane. */
export interface ScreenOwner {
  /** Told of each command that fails, in words. */
  failed(text: string): void;
  /** Takes what came without keys and was not typed. */
  pasted(text: string): void;
}

/**
 * xterm, set up: fonts awaited, links, widths, marks, and silence where an answer is not ours to give. Bytes go in with
 * {@link Screen.write}; keys come out of `terminal.onData`.
 */
export class Screen implements Disposable {
  readonly terminal: Terminal;
  readonly marks: CommandMarks;
  /** While set, questions of programs stay unanswered: they are old, or another page answers them. */
  muted = false;
  readonly #fit: FitAddon;
  readonly #owner: ScreenOwner;
  readonly #turns: ParseTurns;
  #mended: MendedTerminal;
  #graphics: Graphics | undefined;
  /** What waits until it is opened; `undefined`: it is. */
  #unopened: (() => void)[] | undefined = [];
  /** Writes that are not parsed yet. */
  #unparsed = 0;
  #graphemes: 'not needed' | 'loading' | 'there' = 'not needed';
  /** Writes wait here while the table of widths is on its way. */
  #waiting: (() => void)[] = [];

  private constructor(terminal: Terminal, fit: FitAddon, owner: ScreenOwner) {
    this.terminal = terminal;
    this.#fit = fit;
    this.#owner = owner;
    this.#mended = {
      write: (bytes, done) => terminal.write(bytes, done),
      hold: () => undefined,
      see: () => undefined,
    };
    this.#turns = new ParseTurns({
      parse: (bytes, done) => this.#mended.write(bytes, done),
      hold: (isHeld) => this.#mended.hold(isHeld),
      isPageScrolled,
    });
    this.marks = new CommandMarks(terminal, (text) => owner.failed(text));
    muteAnswers(terminal, () => this.muted);
  }

  /** Loads what is needed. The screen takes output in, and nobody sees it until it is opened. */
  static async load(owner: ScreenOwner): Promise<Screen> {
    const [{ Terminal }, { FitAddon }, { WebLinksAddon }] = await Promise.all([
      import('@xterm/xterm'),
      import('@xterm/addon-fit'),
      import('@xterm/addon-web-links'),
      fontIsThere(terminalPreferences().fontSize),
    ]);
    const terminal = new Terminal({
      allowProposedApi: true,
      fontFamily: FONT,
      // A link whose text is not its address: the address is shown before it is followed.
      linkHandler: { activate: (_, uri) => confirm(`Open ${uri}?`) && openLink(uri) },
      // Where a program has the mouse, this is how a Mac still selects; elsewhere it is Shift.
      macOptionClickForcesSelection: true,
      minimumContrastRatio: CONTRAST,
      scrollback: SCROLLBACK,
      ...appearance(),
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(new WebLinksAddon((_, uri) => openLink(uri)));
    return new Screen(terminal, fit, owner);
  }

  /** Whether all that was written is parsed. */
  get isSettled(): boolean {
    return this.#unparsed === 0;
  }

  /** Shows it in `element`, which must be shown. What was written before is drawn once. */
  open(element: HTMLElement, label: string): void {
    this.terminal.open(element);
    this.#mended = mendXterm(this.terminal);
    shareReadableColours(this.terminal);
    onTextInput(this.terminal, (text) => this.#owner.pasted(text));
    this.#graphics = new Graphics(this.terminal);
    this.terminal.textarea?.setAttribute('aria-label', label);
    this.terminal.loadAddon(new CursorBlink());
    const waiting = this.#unopened ?? [];
    this.#unopened = undefined;
    for (const action of waiting) action();
  }

  /** At once, or when it is opened: for what takes an element, such as the keyboard's focus. */
  whenOpen(action: () => void): void {
    if (this.#unopened) this.#unopened.push(action);
    else action();
  }

  /** Shows it where `other` is: with the same lines in view, the same selection, and the keyboard. `other` goes. */
  replace(other: Screen, element: HTMLElement, label: string): void {
    const from = other.terminal;
    const { terminal } = this;
    terminal.options.disableStdin = from.options.disableStdin === true;
    terminal.resize(from.cols, from.rows);
    const hasFocus = from.textarea === document.activeElement;
    const [before, after] = [from.buffer.active, terminal.buffer.active];
    // Before there is a scroll bar: it takes its place from the buffer at the first change of size.
    terminal.scrollToLine(after.baseY - (before.baseY - before.viewportY));
    this.open(element, label);
    this.appear();
    terminal.resize(from.cols, from.rows + 1);
    terminal.resize(from.cols, from.rows);
    const selected = from.getSelectionPosition();
    if (selected) {
      const { start, end } = selected;
      const row = start.y + after.baseY - before.baseY;
      terminal.select(start.x, row, (end.y - start.y) * from.cols + end.x - start.x);
    }
    if (hasFocus) terminal.focus();
    other[Symbol.dispose]();
  }

  /** Looks as the page and the learner want it now. Call only while it is shown: hidden, xterm measures nothing. */
  appear(): void {
    Object.assign(this.terminal.options, appearance());
    this.#graphics?.appear();
    this.#mended.see(true);
  }

  /** Nobody can see it: a screen reader is not read it either. */
  disappear(): void {
    this.terminal.options.screenReaderMode = false;
    this.#mended.see(false);
    this.#graphics?.disappear();
  }

  /** Fits the terminal into its element. Call only while it is shown. @returns whether it could: not before it is opened */
  fit(): boolean {
    const { cols, rows } = this.terminal;
    const wanted = this.#fit.proposeDimensions();
    if (!wanted || !Number.isFinite(wanted.cols) || !Number.isFinite(wanted.rows)) return false;
    if (wanted.cols !== cols || wanted.rows !== rows)
      this.terminal.resize(wanted.cols, wanted.rows);
    return true;
  }

  /** `done` is called when the bytes are parsed. */
  write(bytes: Uint8Array, done: () => void): void {
    this.#unparsed += 1;
    const parsed = () => {
      this.#unparsed -= 1;
      done();
    };
    if (this.#graphemes === 'not needed' && needsGraphemes(bytes)) void this.#loadGraphemes();
    if (this.#graphemes === 'loading') {
      this.#waiting.push(() => this.#turns.write(bytes, parsed));
    } else this.#turns.write(bytes, parsed);
  }

  /** Calls back when all that was written so far is parsed. */
  settled(done: () => void): void {
    this.write(new Uint8Array(), done);
  }

  clear(): void {
    this.#unparsed -= this.#waiting.length;
    this.#waiting = [];
    this.#turns.finish();
    this.terminal.reset();
    this.marks.clear();
  }

  [Symbol.dispose](): void {
    this.#waiting = [];
    this.#turns[Symbol.dispose]();
    this.#graphics?.[Symbol.dispose]();
    this.terminal.dispose();
  }

  async #loadGraphemes(): Promise<void> {
    this.#graphemes = 'loading';
    try {
      const { UnicodeGraphemesAddon } = await import('@xterm/addon-unicode-graphemes');
      this.terminal.loadAddon(new UnicodeGraphemesAddon());
    } catch {
      // Without it some characters are too narrow; the text itself must not wait for ever.
    }
    this.#graphemes = 'there';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const write of waiting) write();
  }
}

function appearance() {
  const { fontSize, optionIsMeta, screenReader } = terminalPreferences();
  return {
    cursorBlink: !REDUCED_MOTION.matches,
    fontSize,
    macOptionIsMeta: optionIsMeta,
    screenReaderMode: screenReader,
    theme: THEMES[currentTheme()],
  };
}

async function fontIsThere(size: number): Promise<void> {
  const fonts = Promise.all([
    document.fonts.load(`${size}px 'Quayside Mono'`, '─W'),
    document.fonts.load(`bold ${size}px 'Quayside Mono'`, '─W'),
  ]);
  const late = new Promise<void>((resolve) => setTimeout(resolve, FONT_MS));
  await Promise.race([fonts.catch(() => undefined), late]);
}

/** Only to the web, and with no way back to this page: what a program prints is not to be trusted. */
function openLink(uri: string): void {
  const url = URL.parse(uri);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return;
  window.open(url.href, '_blank', 'noopener,noreferrer');
}

/** Most terminals never show such a character, and never load the table. */
function needsGraphemes(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < COMBINING_FROM) continue;
    if (byte >= WIDE_FROM || byte <= COMBINING_TO) return true;
    if (byte === SYMBOLS && !BOX_DRAWING.includes(bytes[at + 1] ?? BOX_DRAWING[0] ?? 0))
      return true;
  }
  return false;
}
