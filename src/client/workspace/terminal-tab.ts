import type { TerminalView } from '#protocol';
import { ApiError, type LabApi } from '../api.ts';
import type { Standing } from '../terminal/connection.ts';
import type { TerminalPane } from '../terminal/pane.ts';

/** What a terminal's tab tells the workspace. */
export interface TerminalTabListener {
  onActivity(id: string): void;
  /** The learner wants a new shell in the place of the one that ended. */
  onRenew(view: TerminalView): void;
  /** … or nothing in its place. */
  onDone(view: TerminalView): void;
}

/** The terminal's code is large: it comes with the first terminal, once for all of them. */
let loading: Promise<typeof import('../terminal/pane.ts')> | undefined;
async function loadTerminal() {
  loading ??= import('../terminal/pane.ts');
  try {
    return await loading;
  } catch {
    loading = undefined;
    return undefined;
  }
}

/** A terminal and the panel that shows it. Closing the tab is the workspace's business; this owns the pane. */
export class TerminalTab {
  readonly view: TerminalView;
  readonly panel: HTMLElement;
  /** None where its code could not be fetched. */
  readonly #pane: Promise<TerminalPane | undefined>;
  #loaded: TerminalPane | undefined;
  #disposed = false;
  #ended = false;

  constructor(view: TerminalView, api: LabApi, listener: TerminalTabListener) {
    this.view = view;
    this.panel = document.createElement('div');
    this.panel.className = 'panel terminal-panel';
    this.panel.id = `panel-${view.id}`;
    const screen = document.createElement('div');
    screen.className = 'terminal-screen';
    this.panel.append(screen);
    this.#pane = this.#open(screen, api, listener);
  }

  /** Its shell is gone; nothing can be typed any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Something runs in it, as far as is known. */
  get isBusy(): boolean {
    return !this.#ended && this.#loaded?.isIdle === false;
  }

  /** Its shell is known to wait for a command, or has ended. */
  get isIdle(): boolean {
    return this.#ended || this.#loaded?.isIdle === true;
  }

  async show(): Promise<void> {
    (await this.#pane)?.show();
  }

  async hide(): Promise<void> {
    (await this.#pane)?.hide();
  }

  async focus(): Promise<void> {
    (await this.#pane)?.focus();
  }

  dispose(): void {
    this.#disposed = true;
    this.panel.remove();
    void this.#pane.then((pane) => pane?.dispose());
  }

  async #open(
    screen: HTMLElement,
    api: LabApi,
    listener: TerminalTabListener,
  ): Promise<TerminalPane | undefined> {
    const terminal = await loadTerminal();
    if (this.#disposed) return undefined;
    if (!terminal) {
      this.#addBar('The terminal could not be fetched. Reload the page.');
      return undefined;
    }
    const pane = new terminal.TerminalPane(screen, {
      url: api.terminalUrl(this.view.id),
      label: this.view.title,
      ask: () => this.#standing(api),
      mayCopy: true,
    });
    this.#loaded = pane;
    pane.onActivity(() => listener.onActivity(this.view.id));
    pane.onExit(() => this.#offerNewShell(listener));
    pane.onStateChange((state) => {
      if (state.state === 'gone' && state.why === 'closed') this.#offerNewShell(listener);
    });
    return pane;
  }

  /** Why the server would not let us in. */
  async #standing(api: LabApi): Promise<Standing> {
    try {
      const { terminals } = await api.snapshot();
      return terminals.some(({ id }) => id === this.view.id) ? 'there' : 'closed';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return error.isSignedOut ? 'signed-out' : 'not known';
    }
  }

  #offerNewShell(listener: TerminalTabListener): void {
    if (this.#ended) return;
    this.#ended = true;
    const again = button('New shell', 'button primary', () => listener.onRenew(this.view));
    const hadFocus = this.panel.contains(document.activeElement);
    this.#addBar(
      again,
      button('Close', 'button', () => listener.onDone(this.view)),
    );
    if (hadFocus) again.focus();
    // Whoever clicks into what is left and presses Enter wants to go on.
    this.panel.addEventListener('keydown', (event) => {
      const inScreen = (event.target as Element).closest('.terminal-screen textarea');
      if (event.key === 'Enter' && inScreen) again.click();
    });
  }

  #addBar(...content: readonly (string | HTMLElement)[]): void {
    const bar = document.createElement('div');
    bar.className = 'terminal-ended';
    bar.append(...content);
    this.panel.append(bar);
  }
}

function button(text: string, className: string, action: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  made.addEventListener('click', action);
  return made;
}
