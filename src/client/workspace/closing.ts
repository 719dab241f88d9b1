import { set, setText } from '../set.ts';

/** How long a terminal that is being closed can be had back (ms). */
const UNDO_MS = 10_000;

/** Terminals that are out of sight and about to be closed, because a program may be running in them. */
export class ClosingTerminals {
  readonly #places: readonly HTMLElement[];
  readonly #changed: () => void;
  /** By id. */
  readonly #closing = new Map<string, { name: string; timer: ReturnType<typeof setTimeout> }>();

  /**
   * @param places each holds `[data-part="closing-text"]` and a button to undo it
   * @param changed told when others are in sight
   */
  constructor(places: readonly HTMLElement[], changed: () => void) {
    this.#places = places;
    this.#changed = changed;
  }

  has(id: string): boolean {
    return this.#closing.has(id);
  }

  /** @param close closes it for good; called unless it is undone before */
  add(id: string, name: string, close: () => void): void {
    const timer = setTimeout(() => {
      this.#closing.delete(id);
      this.#paint();
      close();
    }, UNDO_MS);
    this.#closing.set(id, { name, timer });
    this.#paint();
    this.#changed();
  }

  /** All of them are in sight again. */
  undo(): void {
    for (const { timer } of this.#closing.values()) clearTimeout(timer);
    this.#closing.clear();
    this.#paint();
    this.#changed();
  }

  #paint(): void {
    const names = [...this.#closing.values()].map(({ name }) => name);
    const text = `${names.join(', ')} is being closed, and what runs in it ends.`;
    for (const place of this.#places) {
      set(place, 'hidden', names.length === 0);
      if (names.length > 0) setText(place.querySelector('[data-part="closing-text"]'), text);
    }
  }
}
