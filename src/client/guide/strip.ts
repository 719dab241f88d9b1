import type { GuideView } from '#protocol';
import { codeText } from '../code-text.ts';
import { set, setText } from '../set.ts';

/** A line that needs nobody to act on it goes by itself. */
const DONE_MS = 8_000;

/** The strip that says what is being done for the learner and how it ended, with a button to stop it or put it away. */
export class GuideStrip {
  readonly #root: HTMLElement;
  readonly #prose: HTMLElement;
  readonly #place: HTMLElement;
  readonly #says: HTMLElement;
  readonly #button: HTMLButtonElement;
  /** The job that was seen at work: the end of any other is old news after a reload. */
  #seen: string | undefined;
  #shown = '';
  #said = '';
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** @param prose whose end stays in sight above the strip */
  constructor(root: HTMLElement, prose: HTMLElement) {
    this.#root = root;
    this.#prose = prose;
    const part = (name: string) => root.querySelector<HTMLElement>(`[data-guide-${name}]`);
    const [place, says] = [part('place'), part('says')];
    const button = root.querySelector<HTMLButtonElement>('[data-guide-stop]');
    if (!place || !says || !button) throw new Error('the strip lacks a part');
    this.#place = place;
    this.#says = says;
    this.#button = button;
  }

  paint(view: GuideView): void {
    const key = JSON.stringify(view);
    if (key === this.#shown) return;
    this.#shown = key;
    clearTimeout(this.#leaving);
    switch (view.state) {
      case 'idle':
        this.hide();
        return;
      case 'working':
        this.#seen = view.job;
        this.#show(placeOf(view), view.says, 'Stop');
        return;
      case 'done':
        if (view.purpose === 'step' || this.#seen !== view.job) this.hide();
        else {
          this.#show('', doneText(view.of), 'Close');
          this.#leaving = setTimeout(() => this.hide(), DONE_MS);
        }
        return;
      case 'stopped':
        this.#show('Stopped', `${view.reason} ${view.remedy}`, 'Close');
        return;
      default:
        view satisfies never;
    }
  }

  hide(): void {
    this.#lie(false);
  }

  #lie(isThere: boolean): void {
    set(this.#root, 'hidden', !isThere);
    this.#prose.toggleAttribute('data-under-strip', isThere);
  }

  #show(place: string, says: string, label: string): void {
    this.#root.toggleAttribute('data-working', label === 'Stop');
    setText(this.#place, place);
    setText(this.#button, label);
    if (says !== this.#said) this.#says.replaceChildren(...codeText(says));
    this.#said = says;
    this.#lie(true);
  }
}

function placeOf({ place, of, purpose }: Extract<GuideView, { state: 'working' }>): string {
  if (purpose === 'step') return 'Done for you';
  return place === 0 ? 'Start from here' : `Step ${place} of ${of}`;
}

/** What a start from a section has come to. */
export function doneText(of: number): string {
  if (of === 0) return 'Your hosts are fresh, with nothing done on them.';
  return `${of === 1 ? 'The step' : `The ${of} steps`} before this place ${of === 1 ? 'is' : 'are'} done. Go on from here.`;
}
