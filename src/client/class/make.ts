/** A new element with some of its properties set, and what is in it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<Omit<HTMLElementTagNameMap[K], 'dataset'>> & {
    readonly dataset?: Readonly<Record<string, string>>;
  } = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const { dataset, ...rest } = properties;
  const made = document.createElement(name);
  Object.assign(made, rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

/** A place whose children are made from a list. */
export class Filled {
  readonly #place: HTMLElement;
  #shown = '';

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** Makes the children anew where the list is another; else whoever has the focus in one of them keeps it. */
  show<T>(list: readonly T[], child: (each: T) => Node): void {
    const shown = JSON.stringify(list);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#place.replaceChildren(...list.map(child));
  }
}

/** The same time of day everywhere on the page. */
export function clock(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
