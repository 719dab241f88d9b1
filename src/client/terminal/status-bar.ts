import type { ConnectionState } from './connection.ts';
import { LEAVE_KEYS } from './keys.ts';

/** A link that is back so soon (ms) need not have been mentioned. */
const UNNOTICED_MS = 400;

/** The line under a terminal: how its link is, the way out for the keyboard, and the rare question. */
export class StatusBar {
  readonly element: HTMLElement;
  readonly #text: HTMLElement;
  readonly #hint: HTMLElement;
  #late: ReturnType<typeof setTimeout> | undefined;

  constructor(label: string) {
    this.element = document.createElement('div');
    this.element.className = 'qs-terminal-status';
    // Focus comes here on the way out; from here Tab goes on behind the terminal.
    this.element.tabIndex = -1;
    this.element.setAttribute('aria-label', label);
    this.element.role = 'group';
    this.#text = document.createElement('span');
    this.#text.role = 'status';
    this.#hint = document.createElement('span');
    this.#hint.className = 'qs-terminal-hint';
    this.#hint.textContent = `${LEAVE_KEYS} leaves the terminal`;
    this.#hint.hidden = true;
    this.element.append(this.#text, this.#hint);
  }

  takeFocus(): void {
    this.element.focus();
  }

  hint(shown: boolean): void {
    this.#hint.hidden = !shown;
  }

  show(state: ConnectionState): void {
    clearTimeout(this.#late);
    const text = textFor(state);
    if (state.state === 'reconnecting' || state.state === 'connecting') {
      this.#late = setTimeout(() => this.#say(text, false), UNNOTICED_MS);
    } else {
      this.#say(text, false);
    }
  }

  /** A key was pressed that could not be taken. */
  refuse(): void {
    this.#say('Not connected: what you type now is not sent.', true);
  }

  failToLoad(): void {
    this.#say('The terminal could not be loaded. Load this page again.', true);
  }

  /** Several lines, and a program that would run each as it comes. */
  askToPaste(lines: number, paste: () => void): void {
    this.#say(`Paste ${lines} lines? Each runs as it arrives.`, true);
    const yes = button('Paste', () => {
      this.#say('', false);
      paste();
    });
    const no = button('Cancel', () => this.#say('', false));
    this.#text.append(yes, no);
    yes.focus();
  }

  #say(text: string, urgent: boolean): void {
    this.#text.textContent = text;
    this.#text.classList.toggle('qs-terminal-urgent', urgent);
  }
}

function textFor(state: ConnectionState): string {
  switch (state.state) {
    case 'connecting':
      return 'Connecting…';
    case 'open':
      return '';
    case 'reconnecting':
      return 'Connection lost. Trying again…';
    case 'exited':
      return state.status === undefined
        ? 'The shell has ended.'
        : `The shell has ended with status ${state.status}.`;
    case 'gone':
      return state.reason;
  }
}

function button(text: string, action: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.addEventListener('click', action);
  return element;
}
