import type { Terminal } from '@xterm/xterm';

/** What the keys that are ours do. */
export interface KeyActions {
  /** The keyboard's way out of the terminal, which swallows Tab. */
  leave(): void;
  search(): void;
  /** To the prompt before or after. */
  jump(direction: -1 | 1): void;
  /** Larger or smaller text. */
  zoom(by: -1 | 1): void;
}

/** Shown to the learner wherever the key is named. */
export const LEAVE_KEYS = 'Ctrl+Shift+Enter';

/**
 * Takes the few keys that are ours; all others go to the shell, Ctrl-P, Ctrl-W and Alt included. Every one of ours has
 * Ctrl and Shift, which no shell can see, but for Ctrl+Up and Ctrl+Down: those are ours outside full-screen programs
 * only.
 */
export function onKeys(terminal: Terminal, actions: KeyActions): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || event.altKey || event.metaKey) return true;
    const action = event.shiftKey
      ? shifted(event.code, terminal, actions)
      : plain(event.code, terminal, actions);
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
      return () => void copy(terminal);
    case 'KeyV':
      // The browser pastes, and its paste event comes to us.
      return 'browser';
    case 'KeyF':
      return () => actions.search();
    case 'Period':
      return () => actions.zoom(1);
    case 'Comma':
      return () => actions.zoom(-1);
    default:
      return undefined;
  }
}

function plain(code: string, terminal: Terminal, actions: KeyActions): (() => void) | undefined {
  if (terminal.buffer.active.type !== 'normal') return undefined;
  if (code === 'ArrowUp') return () => actions.jump(-1);
  if (code === 'ArrowDown') return () => actions.jump(1);
  return undefined;
}

/** Ctrl+Shift+C would open the browser's tools. Nothing selected, nothing done: it is no Ctrl-C. */
async function copy(terminal: Terminal): Promise<void> {
  const text = terminal.getSelection();
  if (text === '') return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard here (not a secure address): the browser's own command, which xterm answers with its selection.
    document.execCommand('copy');
  }
}
