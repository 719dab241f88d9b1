export interface HostMenuListener {
  onOpen(host: string): void;
  onFiles(host: string): void;
  onRestart(host: string): void;
  /** The name of the tab in front, where there is one to close. */
  closable(): string | undefined;
  onClose(): void;
}

/** The menu behind `+`: another terminal on any host, its files, its restart, and the way to close the one in front without a pointer. */
export class HostMenu {
  readonly #button: HTMLButtonElement;
  readonly #menu: HTMLElement;

  /** @param menu a popover with `role="menu"` whose items carry `data-open-host`, `data-files-of`, `data-restart-host` or `data-close-terminal` */
  constructor(button: HTMLButtonElement, menu: HTMLElement, listener: HostMenuListener) {
    this.#button = button;
    this.#menu = menu;
    const close = menu.querySelector<HTMLElement>('[data-close-terminal]');
    menu.addEventListener('beforetoggle', (event) => {
      if ((event as ToggleEvent).newState !== 'open' || !close) return;
      const name = listener.closable();
      close.hidden = name === undefined;
      close.textContent = `Close ${name}`;
    });
    menu.addEventListener('toggle', (event) => {
      const open = (event as ToggleEvent).newState === 'open';
      button.ariaExpanded = String(open);
      if (!open) return;
      this.#place();
      this.#items()[0]?.focus();
    });
    menu.addEventListener('click', ({ target }) => {
      const item = (target as Element).closest<HTMLElement>('[role="menuitem"]');
      if (!item) return;
      menu.hidePopover();
      const { openHost, filesOf, restartHost } = item.dataset;
      if (openHost !== undefined) listener.onOpen(openHost);
      else if (filesOf !== undefined) listener.onFiles(filesOf);
      else if (restartHost !== undefined) listener.onRestart(restartHost);
      else listener.onClose();
    });
    menu.addEventListener('keydown', (event) => this.#onKey(event));
  }

  #items(): readonly HTMLElement[] {
    return [...this.#menu.querySelectorAll<HTMLElement>('[role="menuitem"]:not([hidden])')];
  }

  /** Below its button, and never past the edge of the window. */
  #place(): void {
    const { bottom, left } = this.#button.getBoundingClientRect();
    const { width } = this.#menu.getBoundingClientRect();
    const most = document.documentElement.clientWidth - width - 8;
    this.#menu.style.insetBlockStart = `${bottom + 4}px`;
    this.#menu.style.insetInlineStart = `${Math.max(8, Math.min(left, most))}px`;
  }

  #onKey(event: KeyboardEvent): void {
    const items = this.#items();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const goTo: Record<string, number> = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    };
    if (event.key === 'Tab') this.#menu.hidePopover();
    const next = goTo[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[next]?.focus();
  }
}
