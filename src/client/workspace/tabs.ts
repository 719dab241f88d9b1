import { set, setText } from '../set.ts';

/** One tab and what it shows. */
export interface Tab {
  readonly id: string;
  readonly name: string;
  readonly panel: HTMLElement;
  readonly closable: boolean;
}

/** What brought a tab to the front: the learner, with a pointer or with keys along the list, or the page itself. */
export type SelectedBy = 'pointer' | 'keys' | 'page';

export interface TabsListener {
  onSelect(tab: Tab, by: SelectedBy): void;
  onClose(tab: Tab): void;
}

/**
 * A tab list as the ARIA practices have it: one tab stop, arrow keys, Home and End; Delete closes. The cross within a
 * tab is for pointers only, so that the tab's name stays the host's.
 */
export class Tabs {
  readonly #list: HTMLElement;
  readonly #listener: TabsListener;
  readonly #tabs = new Map<string, { readonly tab: Tab; readonly button: HTMLButtonElement }>();
  #current: string | undefined;
  /** Of the list, and of each tab: a dot on one pushes the others on. */
  readonly #sizes = new ResizeObserver(() => this.#keepInView());

  constructor(list: HTMLElement, listener: TabsListener) {
    this.#list = list;
    this.#listener = listener;
    list.addEventListener('click', (event) => this.#onClick(event));
    list.addEventListener('auxclick', (event) => this.#onClick(event));
    list.addEventListener('keydown', (event) => this.#onKey(event));
    this.#sizes.observe(list);
  }

  get current(): Tab | undefined {
    return this.#tabs.get(this.#current ?? '')?.tab;
  }

  /** Puts the focus on the tab in front. */
  focus(): void {
    this.#tabs.get(this.#current ?? '')?.button.focus();
  }

  has(id: string): boolean {
    return this.#tabs.has(id);
  }

  /** Adds a tab at the end. */
  add(tab: Tab): void {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'tab';
    button.role = 'tab';
    button.id = `tab-${tab.id}`;
    button.dataset.tab = tab.id;
    button.setAttribute('aria-controls', tab.panel.id);
    const dot = pointerOnly('tab-activity', '');
    button.append(dot, tab.name, pointerOnly('tab-alias', ''));
    if (tab.closable) {
      button.setAttribute('aria-keyshortcuts', 'Delete');
      button.append(pointerOnly('tab-close', '×'));
    }
    tab.panel.role = 'tabpanel';
    tab.panel.setAttribute('aria-labelledby', button.id);
    this.#tabs.set(tab.id, { tab, button });
    this.#list.append(button);
    this.#sizes.observe(button);
    this.#paint();
  }

  /** What else the page calls it, beside its name. To the eye only: the tab's name stays the host's. */
  note(id: string, text: string): void {
    const button = this.#tabs.get(id)?.button;
    setText(button?.querySelector('.tab-alias') ?? null, text);
  }

  /** Takes a tab away. If it was in front its neighbour comes there; its id is returned. */
  remove(id: string): string | undefined {
    const entry = this.#tabs.get(id);
    if (!entry) return undefined;
    const hadFocus = entry.button === document.activeElement;
    const order = this.#order();
    const place = order.indexOf(id);
    this.#tabs.delete(id);
    this.#sizes.unobserve(entry.button);
    entry.button.remove();
    if (this.#current !== id) return undefined;
    this.#current = undefined;
    const next = order[place - 1] ?? order[place + 1];
    if (next) this.#select(next, 'page');
    if (hadFocus && next) this.#tabs.get(next)?.button.focus();
    return next;
  }

  /** Puts these tabs first, in this order. */
  order(ids: readonly string[]): void {
    if (ids.every((id, index) => this.#order()[index] === id)) return;
    const buttons = ids.flatMap((id) => this.#tabs.get(id)?.button ?? []);
    this.#list.prepend(...buttons);
    this.#keepInView();
  }

  select(id: string): void {
    if (this.#tabs.has(id)) this.#select(id, 'page');
  }

  /** Puts a dot on a tab that is not in front; it goes when the tab comes to the front. */
  markActive(id: string): void {
    if (id !== this.#current) this.#tabs.get(id)?.button.setAttribute('data-activity', '');
  }

  #select(id: string, by: SelectedBy): void {
    const entry = this.#tabs.get(id);
    if (!entry) return;
    this.#current = id;
    entry.button.removeAttribute('data-activity');
    this.#paint();
    this.#keepInView();
    this.#listener.onSelect(entry.tab, by);
  }

  #keepInView(): void {
    const button = this.#tabs.get(this.#current ?? '')?.button;
    button?.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  }

  #paint(): void {
    for (const [id, { tab, button }] of this.#tabs) {
      const front = id === this.#current;
      set(button, 'ariaSelected', String(front));
      set(button, 'tabIndex', front || this.#current === undefined ? 0 : -1);
      set(tab.panel, 'hidden', !front);
    }
  }

  #order(): readonly string[] {
    return [...this.#list.children].map((child) => (child as HTMLElement).dataset.tab ?? '');
  }

  #onClick(event: MouseEvent): void {
    const target = event.target as Element;
    const id = target.closest<HTMLElement>('[data-tab]')?.dataset.tab;
    const entry = id === undefined ? undefined : this.#tabs.get(id);
    if (!entry) return;
    // A middle click on a tab closes it, as in a browser.
    const closes = event.type === 'auxclick' ? event.button === 1 : target.closest('.tab-close');
    if (!closes && event.type === 'click') this.#select(entry.tab.id, 'pointer');
    if (closes && entry.tab.closable) this.#listener.onClose(entry.tab);
  }

  #onKey(event: KeyboardEvent): void {
    const order = this.#order();
    const at = order.indexOf(this.#current ?? '');
    const goTo: Record<string, number> = {
      ArrowLeft: (at - 1 + order.length) % order.length,
      ArrowRight: (at + 1) % order.length,
      Home: 0,
      End: order.length - 1,
    };
    const next = order[goTo[event.key] ?? -1];
    if (next !== undefined) {
      event.preventDefault();
      this.#tabs.get(next)?.button.focus();
      this.#select(next, 'keys');
    } else if (event.key === 'Delete' && this.current?.closable) {
      event.preventDefault();
      this.#listener.onClose(this.current);
    }
  }
}

function pointerOnly(className: string, text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = className;
  element.ariaHidden = 'true';
  element.textContent = text;
  return element;
}
