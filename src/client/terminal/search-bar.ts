import type { ISearchDecorationOptions, SearchAddon } from '@xterm/addon-search';
import type { Terminal } from '@xterm/xterm';
import { currentTheme, type ThemeName } from './themes.ts';

/** Where the text stands, and where it stands that is looked at now. */
const COLOURS: Readonly<Record<ThemeName, ISearchDecorationOptions>> = {
  dark: {
    matchBackground: '#705b1e',
    matchOverviewRuler: '#e5c46b',
    activeMatchBackground: '#a8721a',
    activeMatchColorOverviewRuler: '#e5c46b',
  },
  light: {
    matchBackground: '#f9e7b0',
    matchOverviewRuler: '#a8721a',
    activeMatchBackground: '#f2c14e',
    activeMatchColorOverviewRuler: '#a8721a',
  },
};

/** Finds text in the scrollback. Its code is loaded when it is first asked for. */
export class SearchBar {
  #terminal: Terminal;
  readonly #element: HTMLFormElement;
  readonly #box: HTMLInputElement;
  readonly #count: HTMLElement;
  #addon: Promise<SearchAddon> | undefined;

  constructor(parent: HTMLElement, terminal: Terminal) {
    this.#terminal = terminal;
    this.#box = document.createElement('input');
    this.#box.type = 'search';
    this.#box.placeholder = 'Find in terminal';
    this.#box.setAttribute('aria-label', 'Find in terminal');
    this.#count = document.createElement('span');
    this.#count.role = 'status';
    this.#element = document.createElement('form');
    this.#element.className = 'qs-terminal-search';
    this.#element.role = 'search';
    this.#element.hidden = true;
    this.#element.append(
      this.#box,
      this.#count,
      this.#button('↑', 'Previous match', () => this.#find('previous')),
      this.#button('↓', 'Next match', () => this.#find('next')),
      this.#button('×', 'Close', () => this.close()),
    );
    this.#element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#find('previous');
    });
    this.#box.addEventListener('input', () => void this.#find('typed'));
    this.#element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
      else if (event.key === 'Enter' && event.shiftKey) {
        event.preventDefault();
        void this.#find('next');
      }
    });
    parent.append(this.#element);
  }

  /** Searches in another terminal from now on. */
  use(terminal: Terminal): void {
    this.#terminal = terminal;
    this.#addon = undefined;
    if (!this.#element.hidden) void this.#find('typed');
  }

  async open(): Promise<void> {
    this.#element.hidden = false;
    this.#box.value ||= this.#terminal.getSelection().split('\n', 1)[0] ?? '';
    this.#box.focus();
    this.#box.select();
    await this.#find('typed');
  }

  close(): void {
    if (this.#element.hidden) return;
    this.#element.hidden = true;
    void this.#addon?.then((addon) => addon.clearDecorations());
    this.#terminal.focus();
  }

  async #find(how: 'typed' | 'next' | 'previous'): Promise<void> {
    this.#addon ??= this.#load();
    const addon = await this.#addon;
    const text = this.#box.value;
    const options = { decorations: COLOURS[currentTheme()] };
    if (text === '') {
      addon.clearDecorations();
      this.#count.textContent = '';
    } else if (how === 'next') {
      addon.findNext(text, options);
    } else {
      // The newest is what one looks for first, and it is at the end.
      addon.findPrevious(text, { ...options, incremental: how === 'typed' });
    }
  }

  async #load(): Promise<SearchAddon> {
    const { SearchAddon } = await import('@xterm/addon-search');
    const addon = new SearchAddon();
    this.#terminal.loadAddon(addon);
    addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.#count.textContent =
        resultCount === 0 ? 'No match' : `${resultIndex + 1} of ${resultCount}`;
    });
    return addon;
  }

  #button(text: string, label: string, action: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.title = label;
    button.setAttribute('aria-label', label);
    button.addEventListener('click', () => action());
    return button;
  }
}
