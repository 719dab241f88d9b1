import '@xterm/xterm/css/xterm.css';
import './pane.css';
import { Beginning } from './beginning.ts';
import { cleanText } from './clean-text.ts';
import {
  type AttachedFrame,
  type ConnectionState,
  type Standing,
  TerminalConnection,
} from './connection.ts';
import { copyAll, onKeys } from './keys.ts';
import {
  onTerminalPreferences,
  setTerminalPreferences,
  terminalPreferences,
} from './preferences.ts';
import { Screen } from './screen.ts';
import type { SearchBar } from './search-bar.ts';
import { settingsButton } from './settings-button.ts';
import { StatusBar } from './status-bar.ts';
import { currentTheme, THEMES } from './themes.ts';

/** How a terminal pane is made. */
export interface TerminalPaneOptions {
  /** The terminal's socket; `http(s)` and paths are taken as `ws(s)` on this server. */
  readonly url: string;
  /** What it is called, for those who do not see it: `server01`. */
  readonly label: string;
  /** Asks the server whether the terminal is there, when it refused a socket. */
  readonly ask?: () => Promise<Standing>;
}

/** Ctrl-E and Ctrl-U: what is half typed at the prompt makes room (Ctrl-Y brings it back). */
const CLEAR_LINE = '\x05\x15';
const TRAILING_LINE_ENDS = /\n+$/;
/** A hidden terminal draws so much; more waits until it is looked at, and costs the page nothing meanwhile. */
const DRAWN_WHILE_HIDDEN = 32 * 1024;

/**
 * One terminal on the page: keeps its link, shows its output, takes its keys. Starts hidden; `show()` it once its
 * element is in the page and visible.
 */
export class TerminalPane implements Disposable {
  readonly #element: HTMLElement;
  readonly #surface: HTMLElement;
  readonly #label: string;
  readonly #connection: TerminalConnection;
  readonly #status: StatusBar;
  readonly #ending = new AbortController();
  readonly #activity = new Set<() => void>();
  readonly #exit = new Set<(status: number | undefined) => void>();
  readonly #states = new Set<(state: ConnectionState) => void>();
  readonly #beginning = new Beginning();
  #screen: Screen | undefined;
  #opening: Promise<void> | undefined;
  /** What came before the screen was there, or more than is drawn while nobody looks. */
  #held: ((screen: Screen) => void)[] = [];
  #drawnWhileHidden = 0;
  #search: SearchBar | undefined;
  #shown = false;
  #focused = false;
  /** Another page may be the one that decides the size. */
  #yours = true;
  #size = { cols: 80, rows: 24 };
  #replaying = false;
  /** Output below this offset is old. */
  #replayUntil = 0;

  constructor(container: HTMLElement, options: TerminalPaneOptions) {
    this.#label = options.label;
    this.#element = document.createElement('div');
    this.#element.className = 'qs-terminal';
    this.#surface = document.createElement('div');
    this.#surface.className = 'qs-terminal-surface';
    const settings = settingsButton(
      this.#element,
      options.label,
      {
        search: () => this.#withScreen((screen) => void this.#openSearch(screen)),
        copyAll: () => this.#withScreen(({ terminal }) => void copyAll(terminal)),
        focus: () => this.focus(),
      },
      this.#ending.signal,
    );
    this.#status = new StatusBar(`Terminal ${options.label}`, settings, {
      tryNow: () => this.#connection.hurry(),
      waiting: () => this.#connection.waiting,
    });
    this.#element.append(this.#surface, this.#status.element);
    container.append(this.#element);
    this.#connection = new TerminalConnection(
      socketUrl(options.url),
      this.#attention(),
      {
        state: (state) => this.#onState(state),
        attached: (frame) => this.#onAttached(frame),
        output: (bytes, offset, done) => this.#onOutput(bytes, offset, done),
        reset: (preamble, offset) =>
          this.#withScreen((screen) => this.#onReset(screen, preamble, offset)),
        size: (cols, rows, yours) => this.#onSize(cols, rows, yours),
        givenUp: (bytes) => this.#status.giveUp(bytes),
      },
      options.ask,
    );
    this.#listenToPage();
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The pane is visible now. */
  show(): void {
    this.#shown = true;
    this.#drawnWhileHidden = 0;
    this.#opening ??= this.#open().catch(() => this.#status.failToLoad());
    this.#release();
    this.#attend();
    this.#fit();
  }

  /** The pane is about to be hidden. Output goes on; the size stays. */
  hide(): void {
    this.#shown = false;
    this.#search?.close();
    this.#attend();
  }

  focus(): void {
    this.#withScreen((screen) => screen.terminal.focus());
  }

  /** Types a command as if pasted, and Enter. What was half typed at the prompt makes room. */
  type(text: string): void {
    const command = cleanText(text).replace(TRAILING_LINE_ENDS, '');
    if (command === '') return;
    this.#withScreen((screen) => {
      // After everything that has come: a prompt that is on its way decides how it is typed.
      screen.settled(() => {
        const { terminal, marks } = screen;
        terminal.scrollToBottom();
        if (marks.atPrompt) terminal.input(CLEAR_LINE);
        terminal.paste(command);
        terminal.input('\r');
      });
    });
  }

  /** Whether keys go anywhere; without it the pane only shows. The server has the last word. */
  allowTyping(allowed: boolean): void {
    this.#withScreen((screen) => {
      screen.terminal.options.disableStdin = !allowed;
    });
  }

  /** Called when there is output while the pane is hidden. */
  onActivity(listener: () => void): void {
    this.#activity.add(listener);
  }

  /** Called when the shell has ended and everything it printed is on the screen. */
  onExit(listener: (status: number | undefined) => void): void {
    this.#exit.add(listener);
  }

  onStateChange(listener: (state: ConnectionState) => void): void {
    this.#states.add(listener);
  }

  dispose(): void {
    this.#ending.abort();
    this.#connection[Symbol.dispose]();
    this.#status.dispose();
    this.#screen?.[Symbol.dispose]();
    this.#element.remove();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #open(): Promise<void> {
    const screen = await Screen.open(this.#surface, this.#label, (failure) => {
      if (terminalPreferences().screenReader && !this.#replaying) this.#status.tellFailure(failure);
    });
    if (this.#ending.signal.aborted) {
      screen[Symbol.dispose]();
      return;
    }
    this.#screen = screen;
    const { terminal } = screen;
    terminal.onData((data) => {
      this.#beginning.end();
      if (!this.#connection.type(data)) this.#status.refuse();
    });
    terminal.onBinary((data) => this.#connection.type(data));
    onKeys(terminal, {
      leave: () => this.#status.takeFocus(),
      search: () => void this.#openSearch(screen),
      jump: (direction) => screen.marks.jump(direction),
      zoom: (by) => {
        setTerminalPreferences({ fontSize: terminalPreferences().fontSize + by });
      },
    });
    this.#release();
    this.#fit();
  }

  async #openSearch(screen: Screen): Promise<void> {
    const { SearchBar } = await import('./search-bar.ts');
    this.#search ??= new SearchBar(this.#element, screen.terminal);
    await this.#search.open();
  }

  /** In the order of the calls, once there is a screen and somebody looks at it. */
  #withScreen(action: (screen: Screen) => void): void {
    if (this.#screen && this.#held.length === 0 && !this.#rests()) action(this.#screen);
    else this.#held.push(action);
  }

  /** Nobody looks, and enough was drawn: the rest waits, the server holds back, and the program runs on. */
  #rests(): boolean {
    return !this.#shown && this.#drawnWhileHidden > DRAWN_WHILE_HIDDEN;
  }

  #release(): void {
    if (!this.#screen) return;
    const held = this.#held;
    this.#held = [];
    for (const action of held) action(this.#screen);
  }

  #onState(state: ConnectionState): void {
    this.#element.dataset.state = state.state;
    this.#status.show(state);
    for (const listener of this.#states) listener(state);
    if (state.state !== 'exited') return;
    this.#withScreen((screen) => {
      screen.settled(() => {
        screen.terminal.options.disableStdin = true;
        for (const listener of this.#exit) listener(state.status);
      });
    });
  }

  #onAttached(frame: AttachedFrame): void {
    this.#replayUntil = frame.head;
    this.#size = { cols: frame.cols, rows: frame.rows };
  }

  #onReset(screen: Screen, preamble: Uint8Array, offset: number): void {
    screen.clear();
    // What is replayed was written for the shell's size; the pane's own comes after it.
    screen.terminal.resize(this.#size.cols, this.#size.rows);
    this.#replaying = true;
    this.#mute(screen);
    screen.write(preamble, () => undefined);
    screen.settled(() => this.#endReplay(screen, offset >= this.#replayUntil));
  }

  #onOutput(bytes: Uint8Array, offset: number, done: () => void): void {
    // What is replayed after a reload is old news.
    const end = offset + bytes.byteLength;
    const isNews = !this.#beginning.includes(bytes, end) && end > this.#replayUntil;
    if (isNews && !this.#shown) for (const listener of this.#activity) listener();
    this.#withScreen((screen) => {
      if (!this.#shown) this.#drawnWhileHidden += bytes.byteLength;
      const old = Math.max(0, Math.min(bytes.byteLength, this.#replayUntil - offset));
      if (old > 0) {
        this.#replaying = true;
        this.#mute(screen);
        const isLast = offset + old === this.#replayUntil;
        screen.write(bytes.subarray(0, old), () => {
          this.#endReplay(screen, isLast);
          if (old === bytes.byteLength) done();
        });
      }
      if (old < bytes.byteLength) screen.write(bytes.subarray(old), done);
    });
  }

  #endReplay(screen: Screen, isLast: boolean): void {
    if (!isLast) return;
    this.#replaying = false;
    this.#mute(screen);
    this.#fit();
  }

  #onSize(cols: number, rows: number, yours: boolean): void {
    this.#size = { cols, rows };
    this.#yours = yours;
    this.#withScreen((screen) => {
      this.#mute(screen);
      if (yours) this.#fit();
      else screen.terminal.resize(cols, rows);
    });
  }

  #mute(screen: Screen): void {
    screen.muted = this.#replaying || !this.#yours;
  }

  /** Never while hidden, never in the middle of a replay, and never against the page that decides. */
  #fit(): void {
    const screen = this.#screen;
    if (!screen || !this.#shown || this.#replaying || !this.#yours) return;
    if (this.#surface.clientWidth === 0) return;
    screen.fit();
    const { cols, rows } = screen.terminal;
    this.#connection.resize(cols, rows);
  }

  #attention(): 'hidden' | 'visible' | 'active' {
    if (document.visibilityState === 'hidden' || !this.#shown) return 'hidden';
    return this.#focused ? 'active' : 'visible';
  }

  #attend(): void {
    this.#connection.attend(this.#attention());
  }

  #listenToPage(): void {
    const { signal } = this.#ending;
    document.addEventListener(
      'visibilitychange',
      () => {
        this.#attend();
        if (document.visibilityState === 'visible') this.#connection.hurry();
      },
      { signal },
    );
    window.addEventListener('online', () => this.#connection.hurry(), { signal });
    this.#surface.addEventListener(
      'focusin',
      () => {
        this.#focused = true;
        this.#status.hint(true);
        this.#attend();
        this.#connection.hurry();
      },
      { signal },
    );
    this.#surface.addEventListener(
      'focusout',
      () => {
        this.#focused = false;
        this.#status.hint(false);
        this.#attend();
      },
      { signal },
    );
    // Before xterm sees it: what is pasted must not carry keys of its own.
    this.#surface.addEventListener('paste', (event) => this.#onPaste(event), {
      signal,
      capture: true,
    });
    const resized = new ResizeObserver(() => requestAnimationFrame(() => this.#fit()));
    resized.observe(this.#surface);
    const themed = new MutationObserver(() => {
      const terminal = this.#screen?.terminal;
      if (terminal) terminal.options.theme = THEMES[currentTheme()];
    });
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    signal.addEventListener('abort', () => {
      resized.disconnect();
      themed.disconnect();
    });
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    calm.addEventListener(
      'change',
      () => {
        const terminal = this.#screen?.terminal;
        if (terminal) terminal.options.cursorBlink = !calm.matches;
      },
      { signal },
    );
    onTerminalPreferences(() => {
      const terminal = this.#screen?.terminal;
      if (!terminal) return;
      terminal.options.fontSize = terminalPreferences().fontSize;
      terminal.options.screenReaderMode = terminalPreferences().screenReader;
      this.#fit();
    }, signal);
  }

  #onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const terminal = this.#screen?.terminal;
    const text = cleanText(event.clipboardData?.getData('text/plain') ?? '');
    if (!terminal || text === '') return;
    if (terminal.modes.bracketedPasteMode || !text.includes('\n')) {
      terminal.paste(text);
      return;
    }
    // Nothing holds the lines back: each would run as it arrives.
    this.#status.askToPaste(text.split('\n').length, () => {
      terminal.paste(text);
      terminal.focus();
    });
  }
}

function socketUrl(url: string): string {
  const absolute = new URL(url, location.href);
  absolute.protocol = absolute.protocol.replace('http', 'ws');
  return absolute.href;
}
