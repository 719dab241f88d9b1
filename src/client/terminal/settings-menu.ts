import { IS_MAC, KEYS } from './keys.ts';
import {
  onTerminalPreferences,
  setTerminalPreferences,
  terminalPreferences,
  WHEN,
} from './preferences.ts';

/** Keys that a browser keeps for itself: only a page on the full screen can have them, in some browsers. */
const KEPT_BY_BROWSERS = ['Escape', 'KeyW', 'KeyT', 'KeyN'] as const;
const GRAPHICS_NAMES = { automatic: 'If there is one', on: 'Always', off: 'Never' } as const;
const ECHO_NAMES = { automatic: 'On a slow line', on: 'Always', off: 'Never' } as const;

declare global {
  interface Navigator {
    /** Chromium's; what no other browser has. */
    readonly keyboard?: {
      lock(keys: readonly string[]): Promise<void>;
      unlock(): void;
    };
  }
}

/** What the menu does to its terminal. */
export interface SettingsMenuOwner {
  search(): void;
  /** Everything that the terminal still has, its scrollback too. */
  copyAll(): void;
  /** Shows the last command's output as text. */
  output(): void;
  focus(): void;
}

/** The small menu at a terminal: how it looks and speaks, and which keys are ours. Its code comes with the first press. */
export class SettingsMenu {
  readonly #button: HTMLButtonElement;
  readonly #pane: HTMLElement;
  readonly #owner: SettingsMenuOwner;
  readonly #ending: AbortSignal;
  readonly #menu: HTMLElement;

  constructor(
    pane: HTMLElement,
    opener: HTMLButtonElement,
    owner: SettingsMenuOwner,
    ending: AbortSignal,
  ) {
    this.#pane = pane;
    this.#owner = owner;
    this.#ending = ending;
    this.#button = opener;
    this.#menu = this.#build();
    document.addEventListener('fullscreenchange', () => this.#onFullScreen(), { signal: ending });
  }

  toggle(): void {
    if (!this.#menu.hidden) {
      this.#close();
      return;
    }
    this.#menu.hidden = false;
    this.#button.ariaExpanded = 'true';
    this.#menu.querySelector('button')?.focus();
  }

  #close(): void {
    this.#menu.hidden = true;
    this.#button.ariaExpanded = 'false';
    this.#button.focus();
  }

  #build(): HTMLElement {
    const menu = document.createElement('div');
    menu.className = 'qs-terminal-settings';
    // Below the terminal, which gives it room: it covers nothing of what stands there.
    menu.hidden = true;
    menu.role = 'dialog';
    menu.ariaLabel = 'Terminal settings';
    menu.append(
      this.#size(),
      this.#choice('Read output to a screen reader', 'screenReader'),
      ...(IS_MAC ? [this.#choice('Option is the Meta key', 'optionIsMeta')] : []),
      this.#when('Draw with the graphics card', 'graphics', GRAPHICS_NAMES),
      this.#when('Show keys before the host does', 'localEcho', ECHO_NAMES),
      this.#actions(),
      keyList(),
    );
    menu.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#close();
    });
    this.#pane.append(menu);
    return menu;
  }

  #size(): HTMLElement {
    const row = document.createElement('p');
    const size = document.createElement('output');
    const show = () => {
      size.textContent = `${terminalPreferences().fontSize} px`;
    };
    show();
    onTerminalPreferences(show, this.#ending);
    const change = (by: number) =>
      setTerminalPreferences({ fontSize: terminalPreferences().fontSize + by });
    const smaller = button('−', () => change(-1));
    smaller.ariaLabel = 'Smaller text';
    const larger = button('+', () => change(1));
    larger.ariaLabel = 'Larger text';
    row.append('Text size', smaller, size, larger);
    return row;
  }

  #choice(text: string, name: 'screenReader' | 'optionIsMeta'): HTMLElement {
    const label = document.createElement('label');
    const box = document.createElement('input');
    box.type = 'checkbox';
    const show = () => {
      box.checked = terminalPreferences()[name];
    };
    show();
    onTerminalPreferences(show, this.#ending);
    box.addEventListener('change', () => setTerminalPreferences({ [name]: box.checked }));
    label.append(box, text);
    return label;
  }

  #when(
    text: string,
    name: 'graphics' | 'localEcho',
    names: Readonly<Record<(typeof WHEN)[number], string>>,
  ): HTMLElement {
    const label = document.createElement('label');
    const choice = document.createElement('select');
    for (const value of WHEN) choice.add(new Option(names[value], value));
    const show = () => {
      choice.value = terminalPreferences()[name];
    };
    show();
    onTerminalPreferences(show, this.#ending);
    choice.addEventListener('change', () => {
      const wanted = WHEN.find((value) => value === choice.value);
      if (wanted) setTerminalPreferences({ [name]: wanted });
    });
    label.append(text, choice);
    return label;
  }

  #actions(): HTMLElement {
    const row = document.createElement('p');
    const close = (action: () => void) => () => {
      this.#close();
      action();
    };
    row.append(
      button(
        'Find',
        close(() => this.#owner.search()),
      ),
      button(
        'Last output',
        close(() => this.#owner.output()),
      ),
      button(
        'Copy all',
        close(() => this.#owner.copyAll()),
      ),
    );
    // Without the lock, Esc would leave the full screen and never reach vi.
    if (document.fullscreenEnabled && navigator.keyboard) {
      const full = button(
        'Full screen',
        close(() => void this.#fullScreen()),
      );
      full.title = 'Ctrl+W, Ctrl+N, Ctrl+T and Esc reach the shell there; hold Esc to leave';
      row.append(full);
    }
    return row;
  }

  async #fullScreen(): Promise<void> {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    await this.#pane.requestFullscreen();
    await navigator.keyboard?.lock(KEPT_BY_BROWSERS);
    this.#owner.focus();
  }

  #onFullScreen(): void {
    if (!document.fullscreenElement) navigator.keyboard?.unlock();
  }
}

function keyList(): HTMLElement {
  const list = document.createElement('dl');
  for (const [keys, what] of KEYS) {
    const name = document.createElement('dt');
    for (const [at, key] of keys.split('+').entries()) {
      const cap = document.createElement('kbd');
      cap.textContent = key;
      name.append(at > 0 ? '+' : '', cap);
    }
    const meaning = document.createElement('dd');
    meaning.textContent = what;
    list.append(name, meaning);
  }
  return list;
}

function button(text: string, action: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.addEventListener('click', action);
  return element;
}
