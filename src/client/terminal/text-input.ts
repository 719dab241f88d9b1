import type { Terminal } from '@xterm/xterm';

/** What browsers say of a key whose text comes by itself: from a phone's keyboard, a prediction or an input method. */
const TEXT_COMES_BY_ITSELF = 229;
const MODIFIERS: readonly string[] = ['Alt', 'AltGraph', 'CapsLock', 'Control', 'Meta', 'Shift'];
/** Nobody says or swipes so many characters at once: a keyboard has put them in from its clipboard. */
const PASTED = 1_000;
const BACKSPACE = '\x7f';
/** What is deleted where the text area has nothing to delete, as the shell knows it. */
const DELETIONS: Readonly<Record<string, string>> = {
  deleteContentBackward: BACKSPACE,
  deleteWordBackward: `\x1b${BACKSPACE}`,
  deleteSoftLineBackward: '\x15',
  deleteContentForward: '\x1b[3~',
};
/** They change the text area in ways that nobody typed. */
const NOT_TYPED: readonly string[] = [
  'historyUndo',
  'historyRedo',
  'insertFromDrop',
  'deleteByDrag',
];

/**
 * Takes the text that comes without a key of its own: from phones' keyboards, predictions, swipes, dictation and input
 * methods. They edit xterm's text area, in as many steps as they like and now and then in words that stand there already;
 * what has changed there is typed into the shell, with a Backspace for each character that is gone. What a key prints by
 * itself stays xterm's (https://www.w3.org/TR/input-events-2/).
 *
 * xterm looks at the text area once, right after the key: text that comes later, and words that are taken up again, are
 * lost to it.
 *
 * @param pasted takes what comes as several lines, or so long that nobody has typed it
 */
export function onTextInput(terminal: Terminal, pasted: (text: string) => void): void {
  const { element, textarea } = terminal;
  if (element && textarea) new TextInput(terminal, element, textarea, pasted);
}

class TextInput {
  readonly #terminal: Terminal;
  readonly #area: HTMLTextAreaElement;
  readonly #pasted: (text: string) => void;
  /** Shows what is composed where it will stand. */
  readonly #preview: HTMLElement | null;
  /** What the text area held when the shell last had all of it. */
  #typed = '';
  /** The text area holds something else, put there by the page: it is nothing that could be deleted in the shell. */
  #isForeign = false;
  /** A key is down whose text xterm has sent: what it changes in the text area is no news. */
  #isKeyDown = false;
  /** The text area's length as the composition began; a word that is taken up again is typed as it changes. */
  #composing: { readonly from: number; isRetake: boolean } | undefined;

  constructor(
    terminal: Terminal,
    element: HTMLElement,
    area: HTMLTextAreaElement,
    pasted: (text: string) => void,
  ) {
    this.#terminal = terminal;
    this.#area = area;
    this.#pasted = pasted;
    this.#preview = element.querySelector('.composition-view');
    // Before xterm, whose listeners are on the text area itself.
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      act: (event: HTMLElementEventMap[K]) => void,
    ) =>
      element.addEventListener(type, (event) => event.target === area && act(event), {
        capture: true,
      });
    on('keydown', (event) => this.#onKey(event));
    on('keyup', () => {
      this.#isKeyDown = false;
    });
    on('beforeinput', (event) => this.#beforeInput(event));
    on('input', (event) => this.#onInput(event as InputEvent));
    on('compositionstart', (event) => this.#compose(event));
    on('compositionupdate', (event) => event.stopPropagation());
    on('compositionend', (event) => this.#endComposing(event));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.keyCode === TEXT_COMES_BY_ITSELF) {
      this.#isKeyDown = false;
      event.stopPropagation();
      return;
    }
    if (MODIFIERS.includes(event.key)) return;
    // What was composed comes before a key such as Ctrl-C.
    if (this.#composing) {
      this.#send();
      this.#show('');
    } else if (this.#area.value !== '' && this.#terminal.options.screenReaderMode !== true) {
      // The key changes the shell's line and not the text area, whose words must not be taken up again.
      this.#area.value = '';
      this.#typed = '';
    }
    this.#isKeyDown = true;
  }

  #beforeInput(event: InputEvent): void {
    if (this.#composing || this.#isKeyDown) return;
    this.#look();
    if (NOT_TYPED.includes(event.inputType)) {
      event.preventDefault();
      return;
    }
    const deletion = DELETIONS[event.inputType];
    if (deletion === undefined || (this.#typed !== '' && !this.#isForeign)) return;
    event.preventDefault();
    this.#terminal.input(deletion);
  }

  #onInput(event: InputEvent): void {
    event.stopPropagation();
    if (this.#isKeyDown) this.#typed = this.#area.value;
    else if (this.#composing) this.#onComposed(event.data ?? '', this.#composing);
    else this.#send();
  }

  #compose(event: CompositionEvent): void {
    event.stopPropagation();
    this.#look();
    this.#composing = { from: this.#area.value.length, isRetake: false };
  }

  #onComposed(text: string, composing: { readonly from: number; isRetake: boolean }): void {
    if (this.#area.value.length < composing.from + text.length) composing.isRetake = true;
    if (composing.isRetake) this.#send();
    this.#show(composing.isRetake ? '' : text);
  }

  #endComposing(event: CompositionEvent): void {
    event.stopPropagation();
    this.#composing = undefined;
    this.#show('');
    if (this.#isKeyDown) this.#typed = this.#area.value;
    else this.#send();
  }

  /** xterm empties the text area after Enter, and puts what is selected there for the browser's own menu. */
  #look(): void {
    const { value } = this.#area;
    this.#isForeign = value !== this.#typed && value !== '';
    this.#typed = value;
  }

  #send(): void {
    const { value } = this.#area;
    const { deleted, inserted } = editOf(this.#typed, value);
    this.#typed = value;
    if (deleted > 0 && !this.#isForeign) this.#terminal.input(BACKSPACE.repeat(deleted));
    this.#isForeign = false;
    if (inserted === '\n') this.#terminal.input('\r');
    else if (inserted.includes('\n') || inserted.length > PASTED) this.#pasted(inserted);
    else if (inserted !== '') this.#terminal.input(inserted);
    if (!inserted.includes('\n')) return;
    this.#area.value = '';
    this.#typed = '';
  }

  #show(text: string): void {
    const preview = this.#preview;
    if (!preview) return;
    preview.classList.toggle('active', text !== '');
    preview.textContent = text;
    // The text area is where the cursor is.
    const { left, top, height, lineHeight } = this.#area.style;
    const { fontFamily = '', fontSize } = this.#terminal.options;
    Object.assign(preview.style, { left, top, height, lineHeight, fontFamily });
    preview.style.fontSize = `${fontSize}px`;
  }
}

/** The change at the end of a text: so many characters deleted, then these inserted. */
export function editOf(
  before: string,
  after: string,
): { readonly deleted: number; readonly inserted: string } {
  const [from, to] = [[...before], [...after]];
  let same = 0;
  while (same < from.length && from[same] === to[same]) same += 1;
  return { deleted: from.length - same, inserted: to.slice(same).join('') };
}
