import type { Terminal } from '@xterm/xterm';
import { copyText } from '../copy-text.ts';

/** What the keys that are ours do. */
export interface KeyActions {
  /** The keyboard's way out of the terminal, which swallows Tab. */
  leave(): void;
  search(): void;
  /** The last command's output, as text. */
  output(): void;
  /** To the prompt before or after. */
  jump(direction: -1 | 1): void;
  /** Larger or smaller text. */
  zoom(by: -1 | 1): void;
  /** The browser has not let what is selected be copied. */
  notCopied(): void;
}

/** Shown to the learner wherever the key is named. */
export const LEAVE_KEYS = 'Ctrl+Shift+Enter';

/** As xterm sees it. */
export const IS_MAC = /^Mac/.test(globalThis.navigator?.platform ?? '');

/** All keys that are ours, and what they do, for the menu at the terminal. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['Ctrl+Shift+C', 'copy what is selected'],
  ['Ctrl+Shift+V', 'paste'],
  ['Ctrl+Shift+F', 'find in the output'],
  ['Ctrl+Shift+L', 'the last output as text'],
  ['Ctrl+Shift+↑', 'to the prompt before'],
  ['Ctrl+Shift+↓', 'to the next prompt'],
  ['Ctrl+Shift+.', 'larger text'],
  ['Ctrl+Shift+,', 'smaller text'],
  ['Shift+PageUp', 'scroll back'],
  [IS_MAC ? 'Option+drag' : 'Shift+drag', 'select while a program has the mouse'],
  [LEAVE_KEYS, 'leave the terminal'],
];

/**
 * Takes the few keys that are ours; all others go to the shell, Ctrl-P, Ctrl-W and Alt included. Every one of ours has
 * Ctrl and Shift, which no shell can tell from Ctrl alone.
 */
export function onKeys(terminal: Terminal, actions: KeyActions): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    const action = shifted(keyNameOf(event), terminal, actions);
    if (action === undefined) return true;
    if (action !== 'browser') {
      event.preventDefault();
      if (event.type === 'keydown') action();
    }
    return false;
  });
}

const LATIN_LETTER = /^\p{Script=Latin}$/u;
/** What the keys of `,` and `.` print with Shift, by layout; in some, another key prints them as well. */
const PUNCTUATION = /^[.,:;<>?]$/;
const BRACKETS_KEY = 'IntlBackslash';

/**
 * What stands on a key that is pressed with Shift: the letter of the layout in use, be it Dvorak or AZERTY. Where that is
 * no Latin letter (Cyrillic, Greek), the letter at its place on a QWERTY keyboard, as such keyboards are labelled.
 */
export function keyNameOf({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>): string {
  if (LATIN_LETTER.test(key)) return key.toLowerCase();
  if (PUNCTUATION.test(key)) {
    if (code === BRACKETS_KEY) return key;
    if (key === '.' || key === '>' || (key === ':' && code === 'Period')) return '.';
    if (key === '<' || (key === ';' && code === 'Comma')) return ',';
    return key;
  }
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? [];
  if (letter !== undefined) return letter.toLowerCase();
  if (code === 'Period') return '.';
  return code === 'Comma' ? ',' : key;
}

function shifted(
  name: string,
  terminal: Terminal,
  actions: KeyActions,
): (() => void) | 'browser' | undefined {
  switch (name) {
    case 'Enter':
      return () => actions.leave();
    case 'c':
      return () => void copy(terminal, actions);
    case 'v':
      // The browser pastes, and its paste event comes to us.
      return 'browser';
    case 'f':
      return () => actions.search();
    case 'l':
      return () => actions.output();
    case 'ArrowUp':
      return () => actions.jump(-1);
    case 'ArrowDown':
      return () => actions.jump(1);
    case '.':
      return () => actions.zoom(1);
    case ',':
      return () => actions.zoom(-1);
    default:
      return undefined;
  }
}

/** Ctrl+Shift+C would open the browser's tools. Nothing selected, nothing done: it is no Ctrl-C. */
async function copy(terminal: Terminal, { notCopied }: KeyActions): Promise<void> {
  const text = terminal.getSelection();
  if (text !== '' && !(await copyText(text))) notCopied();
}

/** Everything that the terminal still has, without the empty lines at its end. */
export function allText(terminal: Terminal): string {
  terminal.selectAll();
  const text = `${terminal.getSelection().trimEnd()}\n`;
  terminal.clearSelection();
  return text;
}
