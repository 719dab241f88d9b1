import type { ITerminalAddon, Terminal } from '@xterm/xterm';

/** The cursor is there for so long, then gone for as long (ms), as xterm has it. */
const HALF_MS = 500;
/** A cursor that nobody moves comes to rest after so many halves: five seconds, as Windows has it. A page that idles rests. */
const HALVES = 10;
/** On the terminal's element while its cursor is gone. */
const OFF = 'data-cursor-off';

/**
 * Lets the cursor of a terminal that has the focus blink, where it may, by two writes a second (`data-cursor-off`, see
 * pane.css). xterm's own way is an animation: the browser works out its style for each frame, sixty times a second. Where a
 * graphics card draws, xterm lets it blink by itself, and nothing has a style for the attribute.
 */
export class CursorBlink implements ITerminalAddon {
  readonly #ending = new AbortController();
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** @param terminal which is open */
  activate(terminal: Terminal): void {
    const { element, textarea } = terminal;
    if (!element || !textarea) return;
    const { signal } = this.#ending;
    const stop = () => {
      clearInterval(this.#ticking);
      element.removeAttribute(OFF);
    };
    const begin = () => {
      stop();
      let halves = 0;
      this.#ticking = setInterval(() => {
        halves += 1;
        if (terminal.options.cursorBlink === true && halves < HALVES) element.toggleAttribute(OFF);
        else stop();
      }, HALF_MS);
    };
    textarea.addEventListener('focus', begin, { signal });
    textarea.addEventListener('blur', stop, { signal });
    signal.addEventListener('abort', stop);
    // Where it goes, it is seen.
    const moved = terminal.onCursorMove(() => {
      if (document.activeElement === textarea) begin();
    });
    signal.addEventListener('abort', () => moved.dispose());
  }

  dispose(): void {
    this.#ending.abort();
  }
}
