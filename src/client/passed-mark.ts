import type { Views } from './workspace/views.ts';

/**
 * Tells of steps that tick where the text is out of sight: on a narrow screen, while the terminals are in front. The tab
 * that leads back to the text bears a tick until it is opened, and then shows the step.
 */
export class PassedMark {
  readonly #read: HTMLElement;
  readonly #views: Views;
  #last: string | undefined;

  /** @param read the tab that shows the text, after it has come to listen for clicks itself */
  constructor(read: HTMLElement, views: Views) {
    this.#read = read;
    this.#views = views;
    read.addEventListener('click', () => this.#show());
  }

  /** @param checks those that have passed just now */
  tell(checks: readonly string[]): void {
    if (!this.#views.narrow || this.#views.current === 'read') return;
    this.#last = checks.at(-1) ?? this.#last;
    this.#read.toggleAttribute('data-passed', this.#last !== undefined);
  }

  #show(): void {
    const check = document.querySelector(`[data-check-id="${this.#last}"]`);
    this.#last = undefined;
    this.#read.removeAttribute('data-passed');
    check?.scrollIntoView({ block: 'nearest' });
  }
}
