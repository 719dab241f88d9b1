import './touch-keys.css';

/** What a row of keys asks of its terminal. */
export interface TouchKeysOwner {
  /** As if typed. */
  input(data: string): void;
  /** A whole line, and Enter; `taken` once it is decided, for it may be asked about, whether it is sent. */
  line(text: string, taken: (isSent: boolean) => void): void;
  /** Asks no more about the line before. */
  withdraw(): void;
  /** Whether the program wants arrows as `ESC O`. */
  readonly applicationCursor: boolean;
  focus(): void;
}

type Key =
  | { readonly text: string; readonly name: string; readonly data: string }
  | { readonly text: string; readonly name: string; readonly arrow: 'A' | 'B' | 'C' | 'D' };

/** What a phone's keyboard lacks, or hides two presses deep. */
const KEYS: readonly Key[] = [
  { text: 'Esc', name: 'Escape', data: '\x1b' },
  { text: 'Tab', name: 'Tab', data: '\t' },
  { text: '←', name: 'Left', arrow: 'D' },
  { text: '↑', name: 'Up', arrow: 'A' },
  { text: '↓', name: 'Down', arrow: 'B' },
  { text: '→', name: 'Right', arrow: 'C' },
  { text: '|', name: 'Pipe', data: '|' },
  { text: '/', name: 'Slash', data: '/' },
  { text: '~', name: 'Tilde', data: '~' },
  { text: '-', name: 'Minus', data: '-' },
];
/** Ctrl and these, and the letters: the same character with the upper bits gone. */
const WITH_CTRL = /^[a-z@[\\\]^_ ?]$/i;
const CONTROL_BITS = 0x1f;
const DELETE = '\x7f';

/**
 * The row of keys below a terminal that is touched: those that its keyboard lacks, Ctrl for the key that comes next, and
 * a line to write whole before it is sent.
 */
export class TouchKeys {
  readonly element: HTMLElement;
  readonly #owner: TouchKeysOwner;
  readonly #ctrl: HTMLButtonElement;
  readonly #compose: HTMLFormElement;
  readonly #box: HTMLInputElement;

  constructor(label: string, owner: TouchKeysOwner) {
    this.#owner = owner;
    this.element = document.createElement('div');
    this.element.className = 'qs-terminal-touch';
    const row = document.createElement('div');
    row.role = 'toolbar';
    row.ariaLabel = `Keys for ${label}`;
    this.#ctrl = key('Ctrl', 'Control', () => this.#hold(this.#ctrl.ariaPressed !== 'true'));
    this.#ctrl.ariaPressed = 'false';
    const [esc, tab, ...others] = KEYS.map((each) =>
      key(each.text, each.name, () => owner.input(this.#dataOf(each))),
    );
    const write = key('Line', 'Write a whole line', () => this.#open());
    row.append(...[esc, tab, this.#ctrl, ...others, write].flatMap((each) => each ?? []));
    this.#box = document.createElement('input');
    this.#compose = this.#form(label);
    this.element.append(this.#compose, row);
  }

  /** What the terminal's own keyboard types goes through here: Ctrl is for the next of its characters. */
  apply(data: string): string {
    if (this.#ctrl.ariaPressed !== 'true') return data;
    this.#hold(false);
    if (!WITH_CTRL.test(data)) return data;
    if (data === '?') return DELETE;
    return String.fromCharCode(data.toUpperCase().charCodeAt(0) & CONTROL_BITS);
  }

  #dataOf(each: Key): string {
    if ('data' in each) return each.data;
    return `\x1b${this.#owner.applicationCursor ? 'O' : '['}${each.arrow}`;
  }

  #hold(isHeld: boolean): void {
    this.#ctrl.ariaPressed = String(isHeld);
  }

  #form(label: string): HTMLFormElement {
    const form = document.createElement('form');
    form.hidden = true;
    this.#box.ariaLabel = `Line for ${label}`;
    this.#box.placeholder = 'Write a line, then send it';
    this.#box.enterKeyHint = 'send';
    this.#box.autocapitalize = 'off';
    this.#box.spellcheck = false;
    const send = document.createElement('button');
    send.textContent = 'Send';
    form.append(
      this.#box,
      send,
      key('×', 'Close the line', () => this.#close()),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#owner.line(this.#box.value, (isSent) => {
        if (isSent) this.#box.value = '';
        else this.#box.focus();
      });
    });
    // A question about what was sent is no longer about what stands here.
    this.#box.addEventListener('input', () => this.#owner.withdraw());
    form.addEventListener('keydown', ({ key: pressed }) => {
      if (pressed === 'Escape') this.#close();
    });
    return form;
  }

  #open(): void {
    this.#compose.hidden = false;
    this.#box.focus();
  }

  #close(): void {
    this.#compose.hidden = true;
    this.#owner.focus();
  }
}

/** A key that leaves the focus, and with it the keyboard on the screen, where it is. */
function key(text: string, name: string, press: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = text;
  button.ariaLabel = name;
  button.addEventListener('mousedown', (event) => event.preventDefault());
  button.addEventListener('click', press);
  return button;
}
