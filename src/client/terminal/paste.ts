import type { Terminal } from '@xterm/xterm';
import { cleanText } from './clean-text.ts';

/**
 * Takes what is pasted into `surface` before xterm sees it: it must not carry keys of its own.
 *
 * @param ask called for several lines that would run as they arrive, since no program holds them back
 */
export function onPaste(
  surface: HTMLElement,
  terminal: () => Terminal | undefined,
  ask: (lines: number, paste: () => void) => void,
  signal: AbortSignal,
): void {
  const paste = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const into = terminal();
    const text = cleanText(event.clipboardData?.getData('text/plain') ?? '');
    if (!into || text === '') return;
    if (into.modes.bracketedPasteMode || !text.includes('\n')) {
      into.paste(text);
      return;
    }
    ask(text.split('\n').length, () => {
      into.paste(text);
      into.focus();
    });
  };
  surface.addEventListener('paste', paste, { signal, capture: true });
}
