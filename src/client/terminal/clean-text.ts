/**
 * Text that may be pasted into a shell: without escapes and other control characters, which could end the bracketed
 * paste early or press keys of their own. Tabs and line ends stay.
 */
export function cleanText(text: string): string {
  let clean = '';
  for (const character of text.replaceAll(/\r\n?/g, '\n')) {
    const code = character.codePointAt(0) ?? 0;
    const isControl =
      (code < 0x20 && character !== '\t' && character !== '\n') || (code >= 0x7f && code <= 0x9f);
    if (!isControl) clean += character;
  }
  return clean;
}
