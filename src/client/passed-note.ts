import { setText } from './set.ts';
import type { Views } from './workspace/views.ts';

/** As long as a line about something that nobody needs to act on. */
const NOTE_MS = 8_000;

/**
 * Tells of steps that tick where the text is out of sight: on a narrow screen, while the terminals are in front. A line
 * over the terminals says which, and the tab that leads back to the text is marked until it is opened.
 */
export class PassedNote {
  readonly #note: HTMLElement;
  readonly #read: HTMLElement;
  readonly #views: Views;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** @param read the tab that shows the text */
  constructor(note: HTMLElement, read: HTMLElement, views: Views) {
    this.#note = note;
    this.#read = read;
    this.#views = views;
    read.addEventListener('click', () => this.#forget());
  }

  /** @param titles of the steps that have ticked just now */
  tell(titles: readonly string[]): void {
    if (titles.length === 0 || !this.#views.narrow || this.#views.current === 'read') return;
    this.#read.toggleAttribute('data-passed', true);
    setText(this.#note, `✓ ${titles.join('; ')}`);
    this.#note.hidden = false;
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => {
      this.#note.hidden = true;
    }, NOTE_MS);
  }

  #forget(): void {
    this.#read.removeAttribute('data-passed');
    this.#note.hidden = true;
  }
}
