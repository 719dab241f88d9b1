import type { EndingView } from '#protocol';
import { setText } from '../set.ts';

/** The countdown moves once a second. */
const TICK_MS = 1_000;

/** The lines that say when the session will end, and offers more time. */
export class EndingNotice {
  readonly #places: readonly HTMLElement[];
  #ending: EndingView | undefined;
  #at = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** @param places each holds `[data-part="ending-text"]` and the button `[data-extend]` */
  constructor(places: readonly HTMLElement[]) {
    this.#places = places;
  }

  show(ending: EndingView | undefined): void {
    if (ending === this.#ending) return;
    this.#ending = ending;
    for (const place of this.#places) place.hidden = !ending;
    clearInterval(this.#ticking);
    if (!ending) return;
    this.#at = performance.now() + ending.inMs;
    this.#paint();
    this.#ticking = setInterval(() => this.#paint(), TICK_MS);
  }

  #paint(): void {
    if (!this.#ending) return;
    const left = Math.max(0, Math.ceil((this.#at - performance.now()) / 1000));
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    const { because, keeps } = this.#ending;
    const why =
      because === 'idle'
        ? 'Nothing has been done here for a while.'
        : 'The time for this session is nearly over.';
    const text = keeps
      ? `${why} Your hosts stop in ${clock}, and are kept.`
      : `${why} The session ends in ${clock}.`;
    for (const place of this.#places)
      setText(place.querySelector('[data-part="ending-text"]'), text);
  }
}
