import '@xterm/xterm/css/xterm.css';
import './pane.css';
import { copyText, NOT_COPIED } from '../copy-text.ts';
import { onAppearanceChange } from './appearance-changes.ts';
import { cleanText } from './clean-text.ts';
import { onClipboardWrite } from './clipboard-writes.ts';
import { type ConnectionState, type Standing, TerminalConnection } from './connection.ts';
import { allText, onKeys } from './keys.ts';
import { LocalEcho } from './local-echo.ts';
import { TerminalOutput } from './output.ts';
import type { OutputQueue } from './output-queue.ts';
import { doubtOf, onPaste } from './paste.ts';
import { setTerminalPreferences, terminalPreferences } from './preferences.ts';
import { SCROLLBACK, Screen } from './screen.ts';
import type { SearchBar } from './search-bar.ts';
import { settingsButton } from './settings-button.ts';
import { StatusBar } from './status-bar.ts';
import type { TouchKeys } from './touch-keys.ts';

/** How a terminal pane is made. */
export interface TerminalPaneOptions {
  /** The terminal's address on this server. */
  readonly url: string;
  /** What it is called, for those who do not see it: `server01`. */
  readonly label: string;
  /** Asks the server whether the terminal is there, when it refused a socket. */
  readonly ask?: () => Promise<Standing>;
  /** Whether programs in it may write to the clipboard, right after a key or a click here. Not, if not given. */
  readonly mayCopy?: boolean;
}

/** A program answers a key or a click within this (ms), far away too; browsers count a click for as long. */
const AT_ONCE_MS = 5_000;

/** A finger, mostly: a keyboard on the screen, which lacks keys that a shell needs. */
const TOUCHED = matchMedia('(pointer: coarse)');

/**
 * One terminal on the page: keeps its link, shows its output, takes its keys. Starts hidden; `show()` it once its
 * element is in the page and visible.
 */
export class TerminalPane implements Disposable {
  readonly #element: HTMLElement;
  readonly #surface: HTMLElement;
  readonly #label: string;
  readonly #mayCopy: boolean;
  readonly #connection: TerminalConnection;
  readonly #status: StatusBar;
  readonly #ending = new AbortController();
  readonly #activity = new Set<() => void>();
  readonly #exit = new Set<(status: number | undefined) => void>();
  readonly #states = new Set<(state: ConnectionState) => void>();
  readonly #output: TerminalOutput;
  readonly #echo: LocalEcho;
  #screen: Screen | undefined;
  /** It is loaded, and waits to be shown. */
  #unopened: Screen | undefined;
  #opening: Promise<void> | undefined;
  #search: SearchBar | undefined;
  #touch: TouchKeys | undefined;
  #shown = false;
  #focused = false;
  /** A button is held down on the terminal, or a character is composed from several keys. */
  #isHeld = false;
  /** When a key or a button was last pressed here. */
  #pressedAt = Number.NEGATIVE_INFINITY;

  constructor(container: HTMLElement, options: TerminalPaneOptions) {
    this.#label = options.label;
    this.#mayCopy = options.mayCopy ?? false;
    this.#element = document.createElement('div');
    this.#element.className = 'qs-terminal';
    this.#surface = document.createElement('div');
    this.#surface.className = 'qs-terminal-surface';
    const settings = settingsButton(
      this.#element,
      options.label,
      {
        search: () => this.#act((screen) => void this.#openSearch(screen)),
        copyAll: () => void this.#copyAll(),
        output: () => this.#act((screen) => void this.#showOutput(screen)),
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
    this.#output = new TerminalOutput(
      {
        news: () => this.#onNews(),
        settled: () => this.#fit(),
      },
      {
        wants: () => this.#wantsOlder(),
        fetch: (offset, bytes) => this.#connection.fetch(offset, bytes, SCROLLBACK),
        another: () => this.#another(),
        replace: (screen) => this.#replace(screen),
      },
    );
    this.#connection = new TerminalConnection(
      options.url,
      this.#attention(),
      {
        state: (state) => this.#onState(state),
        attached: (frame) => this.#output.attached(frame),
        output: (bytes, offset, done) => this.#output.output(bytes, offset, done),
        reset: (preamble, offset) => this.#output.reset(preamble, offset),
        size: (cols, rows, yours) => this.#output.size(cols, rows, yours),
        older: (frame) => this.#output.older(frame),
        givenUp: () => this.#status.giveUp(),
      },
      options.ask,
    );
    this.#echo = new LocalEcho(this.#connection.roundTrip);
    this.#listenToPage();
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Whether its shell is known to wait for a command, or has ended: closing it ends nothing. */
  get isIdle(): boolean {
    const { state } = this.#connection.state;
    return state === 'exited' || state === 'gone' || this.#screen?.marks.atPrompt === true;
  }

  /** The pane is visible now. */
  show(): void {
    this.#shown = true;
    this.#opening ??= this.#load().catch(() => this.#status.failToLoad());
    this.#open();
    this.#screen?.appear();
    this.#attend();
    this.#fit();
    this.#output.look();
  }

  /** The pane is about to be hidden. Output goes on; the size stays. */
  hide(): void {
    this.#shown = false;
    this.#search?.close();
    this.#screen?.disappear();
    this.#attend();
  }

  focus(): void {
    this.#act((screen) => screen.terminal.focus());
  }

  /** Whether keys go anywhere; without it the pane only shows. The server has the last word. */
  allowTyping(allowed: boolean): void {
    this.#queue.add((screen) => {
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
    this.#output[Symbol.dispose]();
    this.#status.dispose();
    this.#echo[Symbol.dispose]();
    this.#screen?.[Symbol.dispose]();
    this.#element.remove();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #load(): Promise<void> {
    const screen = await this.#newScreen();
    if (this.#ending.signal.aborted) {
      screen[Symbol.dispose]();
      return;
    }
    this.#screen = screen;
    this.#listenTo(screen);
    this.#queue.open(screen);
    // A replay that has come is parsed before anything is drawn of it.
    screen.settled(() => {
      this.#unopened = screen;
      this.#open();
    });
  }

  /** Hidden, xterm measures nothing: one that was hidden again meanwhile is opened when it is shown. */
  #open(): void {
    const screen = this.#unopened;
    if (!screen || !this.#shown || this.#ending.signal.aborted) return;
    this.#unopened = undefined;
    screen.open(this.#surface, this.#label);
    screen.appear();
    if (TOUCHED.matches) void this.#addTouchKeys();
    this.#fit();
    this.#output.look();
  }

  /** Nobody sees it, and it is of the same size. */
  async #another(): Promise<Screen> {
    const screen = await this.#newScreen();
    const present = this.#screen?.terminal;
    if (present) screen.terminal.resize(present.cols, present.rows);
    return screen;
  }

  async #newScreen(): Promise<Screen> {
    const screen: Screen = await Screen.load({
      failed: (failure) => {
        const isOld = this.#screen !== screen || this.#output.replaying;
        if (terminalPreferences().screenReader && !isOld) this.#status.tellFailure(failure);
      },
      pasted: (text) => this.#paste(text),
    });
    return screen;
  }

  #listenTo(screen: Screen): void {
    const { terminal } = screen;
    this.#echo.use(screen);
    terminal.onData((data) => {
      // One that is replaced loses the focus, and would tell the program.
      if (screen !== this.#screen) return;
      this.#output.typed();
      const typed = this.#touch?.apply(data) ?? data;
      if (this.state.state === 'open') this.#echo.typed(typed);
      if (this.#connection.type(typed)) return;
      this.#status.refuse(this.#connection.whyRefused(typed));
    });
    if (this.#mayCopy) onClipboardWrite(terminal, (text) => void this.#programCopies(screen, text));
    terminal.onBinary((data) => this.#connection.type(data));
    terminal.buffer.onBufferChange(() => this.#output.look());
    terminal.onRender(() => this.#tellOlder(screen));
    onKeys(terminal, {
      leave: () => this.#status.takeFocus(),
      search: () => void this.#openSearch(screen),
      output: () => void this.#showOutput(screen),
      jump: (direction) => screen.marks.jump(direction),
      zoom: (by) => {
        setTerminalPreferences({ fontSize: terminalPreferences().fontSize + by });
      },
      notCopied: () => this.#status.tell(NOT_COPIED),
    });
  }

  async #copyAll(): Promise<void> {
    const terminal = this.#screen?.terminal;
    if (!terminal) return;
    const isCopied = await copyText(allText(terminal));
    this.#status.tell(isCopied ? 'Copied.' : NOT_COPIED);
    this.focus();
  }

  /** What comes again after a reload is old, and was copied in its time. */
  async #programCopies(screen: Screen, text: string): Promise<void> {
    if (screen !== this.#screen || this.#output.replaying) return;
    const count = `${[...text].length} ${text.length === 1 ? 'character' : 'characters'}`;
    const isWanted = performance.now() - this.#pressedAt < AT_ONCE_MS;
    const isCopied = isWanted && (await copyText(text));
    this.#status.tell(
      isCopied
        ? `A program here has put ${count} on the clipboard.`
        : 'A program here wanted to put text on the clipboard, which it may right after a key or a click of yours.',
    );
  }

  #wantsOlder(): 'now' | 'later' | 'never' {
    const terminal = this.#screen?.terminal;
    if (!terminal?.element || !this.#shown || this.#output.replaying) return 'later';
    const { active, normal } = terminal.buffer;
    if (normal.length >= SCROLLBACK + terminal.rows) return 'never';
    return active.type === 'normal' ? 'now' : 'later';
  }

  #tellOlder({ terminal }: Screen): void {
    const { viewportY, baseY } = terminal.buffer.active;
    this.#status.awaitOlder(viewportY < baseY && this.#output.lacksOlder);
  }

  /** Only while nothing is under way that another screen would not know of. */
  #replace(next: Screen): boolean {
    const last = this.#screen;
    if (!last || this.#wantsOlder() !== 'now' || this.#isHeld) return false;
    if (!this.#queue.isEmpty || !last.isSettled || !next.isSettled) return false;
    this.#screen = next;
    next.replace(last, this.#surface, this.#label);
    this.#listenTo(next);
    this.#search?.use(next.terminal);
    this.#output.replaced(next);
    this.#status.awaitOlder(false);
    return true;
  }

  /** In its order after output, and where there is an element for it. */
  #act(action: (screen: Screen) => void): void {
    this.#queue.add((screen) => screen.whenOpen(() => action(screen)));
  }

  get #queue(): OutputQueue<Screen> {
    return this.#output.queue;
  }

  async #addTouchKeys(): Promise<void> {
    const { TouchKeys } = await import('./touch-keys.ts');
    if (this.#ending.signal.aborted) return;
    const modes = () => this.#screen?.terminal.modes;
    this.#touch = new TouchKeys(this.#label, {
      input: (data) => this.#act(({ terminal }) => terminal.input(data)),
      line: (text, taken) =>
        this.#act(() =>
          this.#paste(text, (isWanted) => {
            if (isWanted) this.#screen?.terminal.input('\r');
            taken(isWanted);
          }),
        ),
      withdraw: () => this.#status.withdrawPaste(),
      get applicationCursor() {
        return modes()?.applicationCursorKeysMode === true;
      },
      focus: () => this.focus(),
    });
    this.#surface.after(this.#touch.element);
  }

  async #showOutput({ terminal, marks }: Screen): Promise<void> {
    const { showOutput } = await import('./output-view.ts');
    await showOutput(this.#element, terminal, marks.last);
    this.focus();
  }

  async #openSearch(screen: Screen): Promise<void> {
    const { SearchBar } = await import('./search-bar.ts');
    this.#search ??= new SearchBar(this.#element, screen.terminal);
    await this.#search.open();
  }

  /** Asks first where it might not arrive as it stands here. */
  #paste(text: string, done?: (isWanted: boolean) => void): void {
    const clean = cleanText(text);
    const paste = () => {
      if (clean !== '') this.#screen?.terminal.paste(clean);
      done?.(true);
    };
    this.#status.withdrawPaste();
    const doubt = this.#screen && doubtOf(clean, this.#screen.terminal);
    if (!doubt) {
      paste();
      return;
    }
    this.#status.askToPaste(doubt, (isWanted) => {
      if (isWanted) paste();
      this.focus();
      if (!isWanted) done?.(false);
    });
  }

  #onState(state: ConnectionState): void {
    this.#element.dataset.state = state.state;
    this.#status.show(state);
    for (const listener of this.#states) listener(state);
    if (state.state === 'open') this.#echo.look();
    if (state.state !== 'exited') return;
    this.#queue.add((screen) => {
      screen.settled(() => {
        screen.terminal.options.disableStdin = true;
        for (const listener of this.#exit) listener(state.status);
      });
    });
  }

  #onNews(): void {
    if (!this.#shown) for (const listener of this.#activity) listener();
  }

  /** Never while hidden. */
  #fit(): void {
    const screen = this.#screen;
    if (!screen || !this.#shown || !this.#output.mayFit) return;
    if (this.#surface.clientWidth === 0) return;
    const before = { cols: screen.terminal.cols, rows: screen.terminal.rows };
    if (!screen.fit()) return;
    const { cols, rows } = screen.terminal;
    this.#connection.resize(cols, rows);
    if (cols === before.cols && rows === before.rows) return;
    // What takes room and gives it back between two frames, such as a menu, is nothing that a browser tells of.
    requestAnimationFrame(() => this.#fit());
  }

  #attention(): 'hidden' | 'visible' | 'active' {
    if (document.visibilityState === 'hidden' || !this.#shown) return 'hidden';
    return this.#focused ? 'active' : 'visible';
  }

  #attend(): void {
    this.#connection.attend(this.#attention());
    if (document.visibilityState === 'hidden') this.#queue.pace = 'not now';
    else this.#queue.pace = this.#shown ? 'at once' : 'when idle';
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
      ({ relatedTarget }) => {
        // To the screen that takes this one's place.
        if (relatedTarget instanceof Node && this.#surface.contains(relatedTarget)) return;
        this.#focused = false;
        this.#status.hint(false);
        this.#attend();
      },
      { signal },
    );
    for (const press of ['keydown', 'pointerdown']) {
      this.#surface.addEventListener(
        press,
        () => {
          this.#pressedAt = performance.now();
        },
        { signal, capture: true },
      );
    }
    const hold = (isHeld: boolean) => () => {
      this.#isHeld = isHeld;
    };
    for (const begin of ['pointerdown', 'compositionstart'])
      this.#surface.addEventListener(begin, hold(true), { signal, capture: true });
    for (const end of ['pointerup', 'pointercancel', 'compositionend'])
      window.addEventListener(end, hold(false), { signal, capture: true });
    onPaste(this.#surface, (text) => this.#paste(text), signal);
    const resized = new ResizeObserver(() => requestAnimationFrame(() => this.#fit()));
    resized.observe(this.#surface);
    signal.addEventListener('abort', () => resized.disconnect());
    onAppearanceChange(() => {
      if (!this.#shown) return;
      this.#screen?.appear();
      this.#fit();
    }, signal);
  }
}
