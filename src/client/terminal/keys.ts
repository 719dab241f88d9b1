import type { Terminal } from '@xterm/xterm';
import { copyText } from '../copy-text.ts';

/** What the keys that are ours do. */
export interface KeyActions {
  /** The keyboard's way out of the terminal, which swallows Tab. */
  leave(): void;
  search(): void;
  /** To the prompt before or after. */
  jump(direction: -1 | 1): void;
  /** Larger or smaller text. */
  zoom(by: -1 | 1): void;
  /** The browser has not let what is selected be copied. */
  notCopied(): void;
}

/** Shown to the learner wherever the key is named. */
export const LEAVE_KEYS = 'Ctrl+Shift+Enter';

/** All keys that are ours, and what they do, for the menu at the terminal. */
export const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['Ctrl+Shift+C', 'copy what is selected'],
  ['Ctrl+Shift+V', 'paste'],
  ['Ctrl+Shift+F', 'find in the output'],
  ['Ctrl+Shift+↑', 'to the prompt before'],
  ['Ctrl+Shift+↓', 'to the next prompt'],
  ['Ctrl+Shift+.', 'larger text'],
  ['Ctrl+Shift+,', 'smaller text'],
  ['Shift+PageUp', 'scroll back'],
  [LEAVE_KEYS, 'leave the terminal'],
];

/**
 * Takes the few keys that are ours; all others go to the shell, Ctrl-P, Ctrl-W and Alt included. Every one of ours has
 * Ctrl and Shift, which no shell can tell from Ctrl alone.
 */
export function onKeys(terminal: Terminal, actions: KeyActions): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    const action = shifted(event.code, terminal, actions);
    if (action === undefined) return true;
    if (action !== 'browser') {
      event.preventDefault();
      if (event.type === 'keydown') action();
    }
    return false;
  });
}

function shifted(
  code: string,
  terminal: Terminal,
  actions: KeyActions,
): (() => void) | 'browser' | undefined {
  switch (code) {
    case 'Enter':
      return () => actions.leave();
    case 'KeyC':
      return () => void copy(terminal, actions);
    case 'KeyV':
      // The browser pastes, and its paste event comes to us.
      return 'browser';
    case 'KeyF':
      return () => actions.search();
    case 'ArrowUp':
      return () => actions.jump(-1);
    case 'ArrowDown':
      return () => actions.jump(1);
    case 'Period':
      return () => actions.zoom(1);
    case 'Comma':
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
