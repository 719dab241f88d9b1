import type { PredictionView } from './prediction-view.ts';
import { terminalPreferences } from './preferences.ts';
import type { RoundTrip } from './round-trip.ts';
import type { Screen } from './screen.ts';

/** Below this (ms) a key's echo seems to be there at once. */
const SLOW_MS = 60;

/** Shows what is typed before the host has echoed it, where the line is slow. The code for it comes when a line is. */
export class LocalEcho implements Disposable {
  readonly #times: RoundTrip;
  #screen: Screen | undefined;
  #view: PredictionView | 'loading' | undefined;
  #typedAt = Number.NEGATIVE_INFINITY;

  constructor(times: RoundTrip) {
    this.#times = times;
  }

  /** What is typed is seen there from now on. */
  use(screen: Screen): void {
    this[Symbol.dispose]();
    this.#screen = screen;
    this.look();
  }

  /** The line may be slow. */
  look(): void {
    if (this.#view || !this.#isWanted || !this.#screen) return;
    this.#view = 'loading';
    const screen = this.#screen;
    screen.whenOpen(() => void this.#open(screen));
  }

  /** Before it goes to the shell. */
  typed(data: string): void {
    if (this.#screen?.marks.atPrompt) this.#times.sent();
    if (typeof this.#view === 'object') this.#view.typed(data, this.#isWanted);
    else this.look();
    this.#typedAt = performance.now();
  }

  [Symbol.dispose](): void {
    if (typeof this.#view === 'object') this.#view[Symbol.dispose]();
    this.#view = undefined;
    this.#screen = undefined;
  }

  get #isWanted(): boolean {
    const { localEcho } = terminalPreferences();
    return localEcho === 'automatic' ? this.#times.least >= SLOW_MS : localEcho === 'on';
  }

  async #open(screen: Screen): Promise<void> {
    // Where it cannot be fetched, the next key asks again.
    const code = await import('./prediction-view.ts').catch(() => undefined);
    if (this.#screen !== screen) return;
    const element = screen.terminal.element?.querySelector<HTMLElement>('.xterm-screen');
    if (!code || !element) {
      this.#view = undefined;
      return;
    }
    const isQuiet = performance.now() - this.#typedAt > 2 * this.#times.most;
    const isAtPrompt = isQuiet && screen.marks.atPrompt;
    this.#view = new code.PredictionView(screen.terminal, element, this.#times, isAtPrompt);
  }
}
