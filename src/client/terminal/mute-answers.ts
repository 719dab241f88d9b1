import type { Terminal } from '@xterm/xterm';

/** Sequences that xterm answers as if somebody typed: device attributes, status reports, modes, its version. */
const CSI_QUESTIONS = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' },
  { prefix: '>', final: 'q' },
  { final: 't' },
] as const;
/** Colours: answered only where the text is a question mark. */
const OSC_QUESTIONS = [4, 10, 11, 12] as const;

/**
 * Leaves questions unanswered while `muted` says so. A replay is full of them, and their answers would be typed into a
 * shell that asked nothing; of several pages on one terminal only one may answer.
 */
export function muteAnswers(terminal: Terminal, muted: () => boolean): void {
  const { parser } = terminal;
  for (const id of CSI_QUESTIONS) parser.registerCsiHandler(id, () => muted());
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => muted());
  for (const id of OSC_QUESTIONS) {
    parser.registerOscHandler(id, (data) => muted() && data.includes('?'));
  }
}
