import type { ConnectionState, Refusal, WhyGone } from './connection.ts';
import { LEAVE_KEYS } from './keys.ts';
import { LINE_BYTES, type PasteDoubt } from './paste.ts';

/** A link that is back so soon (ms) need not have been mentioned. */
const UNNOTICED_MS = 400;
const SECOND_MS = 1_000;
const KIB = 1024;
const MIB = 1024 ** 2;
/** What was given up is said for so long (ms) once the link is back. */
const GIVEN_UP_MS = 15_000;
/** What asks nothing of anybody is said for so long (ms). */
const TOLD_MS = 8_000;

const OLDER_COMES = 'Older output is on its way.';

const GONE: Readonly<Record<WhyGone, string>> = {
  closed: 'This terminal was closed.',
  'signed-out': 'This browser is not signed in any more.',
  crowded: 'This terminal is open in too many tabs already. Close one of them.',
  version: 'The server was updated. Load this page again to go on.',
};

/** What the line under a terminal asks of its pane. */
export interface StatusBarOwner {
  /** Do not wait for the next try. */
  tryNow(): void;
  /** Keys typed that wait for the link. */
  waiting(): number;
}

/** The line under a terminal: how its link is, the way out for the keyboard, and the rare question. */
export class StatusBar {
  readonly element: HTMLElement;
  readonly #owner: StatusBarOwner;
  readonly #text: HTMLElement;
  /** What is asked about a paste. */
  #asked: string | undefined;
  readonly #buttons: HTMLElement;
  readonly #hint: HTMLElement;
  #state: ConnectionState = { state: 'connecting' };
  /** Counts down; no news for a screen reader each second. */
  readonly #clock: HTMLElement;
  #late: ReturnType<typeof setTimeout> | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /** @param settings the button that opens them */
  constructor(label: string, settings: HTMLElement, owner: StatusBarOwner) {
    this.#owner = owner;
    this.element = document.createElement('div');
    this.element.className = 'qs-terminal-status';
    this.element.setAttribute('aria-label', label);
    this.element.role = 'group';
    this.#text = document.createElement('span');
    this.#text.role = 'status';
    this.#clock = document.createElement('span');
    this.#buttons = document.createElement('span');
    this.#buttons.className = 'qs-terminal-buttons';
    this.#hint = document.createElement('span');
    this.#hint.className = 'qs-terminal-hint';
    // Focus comes here on the way out; from here Tab goes on behind the terminal, and Shift+Tab to its settings.
    this.#hint.tabIndex = -1;
    this.#hint.addEventListener('blur', () => this.hint(false));
    this.element.append(this.#text, this.#clock, this.#buttons, settings, this.#hint);
    this.hint(false);
  }

  takeFocus(): void {
    this.#hint.textContent = 'Tab goes on, Shift+Tab to the settings';
    this.#hint.hidden = false;
    this.#hint.focus();
  }

  /** While the terminal has the keyboard, how to leave it. */
  hint(shown: boolean): void {
    if (this.#hint === document.activeElement) return;
    this.#hint.textContent = `${LEAVE_KEYS} leaves the terminal`;
    this.#hint.hidden = !shown;
  }

  show(state: ConnectionState): void {
    this.#state = state;
    clearTimeout(this.#late);
    if (state.state === 'reconnecting') {
      if (this.#ticking !== undefined) this.#tick(state.next);
      else this.#late = setTimeout(() => this.#countDown(state.next), UNNOTICED_MS);
      return;
    }
    this.#stopClock();
    if (state.state === 'connecting') {
      this.#late = setTimeout(() => this.#say('Connecting…'), UNNOTICED_MS);
    } else this.#say(textFor(state), state.state === 'gone');
    if (state.state !== 'gone') return;
    if (state.why === 'version') this.#offer('Load again', () => location.reload());
    if (state.why === 'crowded' || state.why === 'signed-out') {
      this.#offer('Try again', () => this.#owner.tryNow());
    }
  }

  /** What was typed, pasted or run could not be taken. */
  refuse(refusal: Refusal): void {
    if (refusal.why === 'over') this.show(this.#state);
    else this.#say(refusalText(refusal), true);
  }

  /** Something about the terminal that goes by itself. */
  tell(text: string): void {
    clearTimeout(this.#late);
    this.#say(text);
    this.#late = setTimeout(() => this.#unsay(text), TOLD_MS);
  }

  /** What was typed during a cut is not sent any more. */
  giveUp(): void {
    const text = 'The link was down for long: what you typed meanwhile is not sent any more.';
    // After what the state says about itself: the link is back.
    clearTimeout(this.#late);
    this.#late = setTimeout(() => {
      this.#say(text, true);
      this.#late = setTimeout(() => this.#unsay(text), GIVEN_UP_MS);
    }, 0);
  }

  /** Somebody looks for output that is not there yet, or does not any more. */
  awaitOlder(isAwaited: boolean): void {
    const said = this.#text.textContent;
    if (isAwaited && said === '') this.#say(OLDER_COMES);
    if (!isAwaited && said === OLDER_COMES) this.#say('');
  }

  failToLoad(): void {
    this.#say('The terminal could not be loaded. Load this page again.', true);
  }

  /** For those who do not see the mark in the margin. */
  tellFailure(text: string): void {
    this.#say(text);
  }

  /** A program may run each line as it comes, and gets only so much of one. */
  askToPaste(doubt: PasteDoubt, answer: (isWanted: boolean) => void): void {
    const offer = (text: string, isWanted: boolean) =>
      this.#offer(text, () => {
        this.#say('');
        answer(isWanted);
      });
    this.#asked = pasteQuestion(doubt);
    this.#say(this.#asked, true);
    offer('Paste', true).focus();
    offer('Cancel', false);
  }

  /** What was to be pasted is not any more. */
  withdrawPaste(): void {
    if (this.#asked !== undefined) this.#unsay(this.#asked);
    this.#asked = undefined;
  }

  dispose(): void {
    clearTimeout(this.#late);
    this.#stopClock();
  }

  #countDown(next: number | undefined): void {
    this.#say('Connection lost.', true);
    this.#offer('Try now', () => this.#owner.tryNow());
    let until = next;
    this.#tick = (at) => {
      until = at;
      this.#clock.textContent = clockText(until, this.#owner.waiting());
    };
    this.#tick(next);
    this.#ticking = setInterval(() => this.#tick(until), SECOND_MS);
  }

  #tick: (next: number | undefined) => void = () => undefined;

  #stopClock(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    this.#clock.textContent = '';
  }

  /** Goes back to what the state says, unless something else is said by now. */
  #unsay(text: string): void {
    if (this.#text.textContent === text) this.show(this.#state);
  }

  #say(text: string, urgent = false): void {
    this.#text.textContent = text;
    this.element.classList.toggle('qs-terminal-urgent', urgent);
    this.#buttons.replaceChildren();
  }

  #offer(text: string, action: () => void): HTMLButtonElement {
    const element = document.createElement('button');
    element.type = 'button';
    element.textContent = text;
    element.addEventListener('click', action);
    this.#buttons.append(element);
    return element;
  }
}

function clockText(next: number | undefined, waiting: number): string {
  const seconds = next === undefined ? 0 : Math.ceil((next - Date.now()) / SECOND_MS);
  const when = seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…';
  if (waiting === 0) return when;
  return `${when} What you typed (${waiting} ${waiting === 1 ? 'key' : 'keys'}) waits.`;
}

/** What is asked before a paste. */
export function pasteQuestion({ lines, tooLong }: PasteDoubt): string {
  const runs = lines === 1 ? 'Paste a line? It runs' : `Paste ${lines} lines? Each runs`;
  if (tooLong === undefined) return `${runs} as it arrives.`;
  const [size, most] = [tooLong, LINE_BYTES].map((bytes) => bytes.toLocaleString('en'));
  const which =
    lines === 1 ? `Paste a line of ${size} bytes` : `Paste ${lines} lines, one of ${size} bytes`;
  return `${which}? A program that reads line by line gets only the first ${most} of it. Break it up first.`;
}

function refusalText(refusal: Refusal): string {
  if (refusal.why !== 'too much') {
    return 'Not connected: nothing is sent. Type it, or press Run, again when the connection is back.';
  }
  const { bytes, waiting, most } = refusal;
  const limit = `at most ${size(most)} can be on the way at once`;
  return bytes > most
    ? `Nothing of it was sent: it has ${size(bytes)}, and ${limit}.`
    : `Nothing of it was sent: ${limit}, and ${size(waiting)} still are. Wait until they have arrived.`;
}

function size(bytes: number): string {
  return bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

function textFor(state: ConnectionState): string {
  switch (state.state) {
    case 'connecting':
    case 'reconnecting':
    case 'open':
      return '';
    case 'exited':
      return state.status === undefined
        ? 'The shell has ended.'
        : `The shell has ended with status ${state.status}.`;
    case 'gone':
      return GONE[state.why];
  }
}
