import type { Terminal } from '@xterm/xterm';
import { cleanText } from './clean-text.ts';

/** `OSC 52 ; <selections> ; <base64>`. What asks for the clipboard (`?`) does not fit, and is not answered. */
const WRITE = /^[cpqs0-7]*;([A-Za-z0-9+/]+=*)$/;
/** As much base64 as xterm itself takes of a program's selection: 75 kB of text, more than anybody selects in one. */
export const MOST_BASE64 = 100_000;

/** The text that a program wants on the clipboard; `undefined` where it is none, too much, or a question. */
export function textToCopy(data: string): string | undefined {
  const base64 = WRITE.exec(data)?.[1];
  if (base64 === undefined || base64.length > MOST_BASE64) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return cleanText(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) || undefined;
  } catch {
    return undefined;
  }
}

/** Tells of each text that a program in the terminal wants on the clipboard. Programs never read it. */
export function onClipboardWrite(terminal: Terminal, wanted: (text: string) => void): void {
  terminal.parser.registerOscHandler(52, (data) => {
    const text = textToCopy(data);
    if (text !== undefined) wanted(text);
    return true;
  });
}
