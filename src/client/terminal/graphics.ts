import type { WebglAddon } from '@xterm/addon-webgl';
import type { Terminal } from '@xterm/xterm';
import { terminalPreferences } from './preferences.ts';
import { shareReadableColours } from './readable-colours.ts';
import { whenIdle } from './when-idle.ts';

/** Drivers that draw with the processor, which is slower than elements are. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
/** What comes in a hidden terminal's place is drawn before its context is given back (ms). */
const GIVE_BACK_MS = 1_000;

type Drawing =
  /** xterm's own renderer: an element for each stretch of text. */
  | { readonly with: 'elements' }
  | {
      readonly with: 'graphics card';
      readonly addon: WebglAddon;
      readonly canvas: HTMLCanvasElement;
    };

/** What draws with the card; `undefined` until a terminal of this page needs it. */
let code: typeof import('@xterm/addon-webgl') | undefined;
/** Whether there is a card, once somebody asked. */
let hasCard: boolean | undefined;
/** A context was lost, or there was none to have: the page asks for no other until it is loaded anew. */
let isGivenUp = false;

/**
 * Draws a terminal with the graphics card while it is shown, and with elements where that cannot be. A hidden terminal
 * has no context: browsers keep about 16 and take the oldest away.
 */
export class Graphics implements Disposable {
  readonly #terminal: Terminal;
  readonly #ending = new AbortController();
  #drawing: Drawing = { with: 'elements' };
  #isShown = false;

  /** @param terminal which is open */
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.element?.addEventListener('webglcontextlost', (event) => this.#lose(event), {
      capture: true,
      signal: this.#ending.signal,
    });
  }

  /** It is shown, or the learner wants it drawn in another way. */
  appear(): void {
    this.#isShown = true;
    const { graphics } = terminalPreferences();
    const isWanted = graphics === 'on' || (graphics === 'automatic' && hasCard !== false);
    if (!isWanted || isGivenUp) this.#giveBack();
    else if (code && (graphics === 'on' || hasCard)) this.#take(code);
    else if (graphics === 'on') void this.#prepare();
    else whenIdle(() => void this.#prepare());
  }

  /** It is hidden. The terminal that comes in its place takes over the glyphs that are drawn already, so it comes first. */
  disappear(): void {
    this.#isShown = false;
    setTimeout(() => {
      if (!this.#isShown) this.#giveBack();
    }, GIVE_BACK_MS);
  }

  [Symbol.dispose](): void {
    this.#isShown = false;
    this.#ending.abort();
    this.#giveBack();
  }

  /** Looks for a card, and loads what draws with it. */
  async #prepare(): Promise<void> {
    const { graphics } = terminalPreferences();
    if (graphics === 'automatic') hasCard ??= findCard();
    if (graphics === 'on' || hasCard) {
      try {
        code ??= await import('@xterm/addon-webgl');
      } catch {
        isGivenUp = true;
      }
    }
    if (this.#isShown && code) this.appear();
  }

  #take({ WebglAddon }: typeof import('@xterm/addon-webgl')): void {
    if (this.#drawing.with === 'graphics card') return;
    const addon = new WebglAddon();
    try {
      this.#terminal.loadAddon(addon);
    } catch {
      isGivenUp = true;
    }
    const canvas = this.#terminal.element?.querySelector<HTMLCanvasElement>(
      '.xterm-screen > canvas:not(.xterm-link-layer)',
    );
    if (isGivenUp || !canvas) addon.dispose();
    else this.#drawing = { with: 'graphics card', addon, canvas };
  }

  #giveBack(): void {
    if (this.#drawing.with === 'elements') return;
    const { addon, canvas } = this.#drawing;
    this.#drawing = { with: 'elements' };
    addon.dispose();
    shareReadableColours(this.#terminal);
    // Now: the browser would count it until it is collected.
    release(canvas.getContext('webgl2'));
  }

  /** xterm would wait three seconds for the context to come back, and show nothing meanwhile. */
  #lose(event: Event): void {
    event.stopPropagation();
    isGivenUp = true;
    this.#giveBack();
  }
}

function findCard(): boolean {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!context) return false;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const driver: unknown = context.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  release(context);
  return !SOFTWARE.test(String(driver));
}

function release(context: WebGL2RenderingContext | null): void {
  context?.getExtension('WEBGL_lose_context')?.loseContext();
}
