import type { Terminal } from '@xterm/xterm';

/**
 * How much of a line (bytes) a program gets that reads whole lines; the kernel drops the rest without a word
 * (N_TTY_BUF_SIZE in drivers/tty/n_tty.c: 4,096 with the line's end).
 */
export const LINE_BYTES = 4_095;

/** What may happen to a text that is pasted into a program which does not hold it back. */
export interface PasteDoubt {
  readonly lines: number;
  /** The longest line (bytes), where it is too long to arrive whole. */
  readonly tooLong?: number;
}

/** Takes what is pasted into `surface` before xterm sees it: it must not carry keys of its own. */
export function onPaste(
  surface: HTMLElement,
  paste: (text: string) => void,
  signal: AbortSignal,
): void {
  const take = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    paste(event.clipboardData?.getData('text/plain') ?? '');
  };
  surface.addEventListener('paste', take, { signal, capture: true });
}

/**
 * What to ask before a clean text is pasted, or `undefined`. With bracketed paste a program takes it as a whole; one that
 * has the alternate screen reads key by key, and lines of any length arrive.
 */
export function doubtOf(
  text: string,
  { modes, buffer }: { readonly modes: Modes; readonly buffer: Buffers },
): PasteDoubt | undefined {
  if (modes.bracketedPasteMode) return undefined;
  const lines = text.replace(/\n$/, '').split('\n');
  const encoder = new TextEncoder();
  const longest = lines.reduce((most, line) => Math.max(most, encoder.encode(line).length), 0);
  if (longest > LINE_BYTES && buffer.active.type === 'normal') {
    return { lines: lines.length, tooLong: longest };
  }
  return text.includes('\n') ? { lines: lines.length } : undefined;
}

type Modes = Pick<Terminal['modes'], 'bracketedPasteMode'>;
type Buffers = { readonly active: Pick<Terminal['buffer']['active'], 'type'> };
