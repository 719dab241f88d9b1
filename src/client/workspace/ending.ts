import type { EndingView } from '#protocol';

/** The countdown moves once a second. */
const TICK_MS = 1_000;

/** The line over the workspace that says when the session will end, and offers more time. */
export class EndingNotice {
  readonly #place: HTMLElement;
  #ending: EndingView | undefined;
  #at = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** @param place holds `[data-part="ending-text"]` and the button `[data-extend]` */
  constructor(place: HTMLElement) {
    this.#place = place;
  }

  show(ending: EndingView | undefined): void {
    if (ending === this.#ending) return;
    this.#ending = ending;
    this.#place.hidden = !ending;
    clearInterval(this.#ticking);
    if (!ending) return;
    this.#at = performance.now() + ending.inMs;
    this.#paint();
    this.#ticking = setInterval(() => this.#paint(), TICK_MS);
  }

  #paint(): void {
    const text = this.#place.querySelector<HTMLElement>('[data-part="ending-text"]');
    if (!text || !this.#ending) return;
    const left = Math.max(0, Math.ceil((this.#at - performance.now()) / 1000));
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    text.textContent =
      this.#ending.because === 'idle'
        ? `Nothing has been done here for a while. The session ends in ${clock}.`
        : `The time for this session is nearly over. It ends in ${clock}.`;
  }
}
