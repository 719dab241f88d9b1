import { copyText } from '../copy-text.ts';

/** How long "Copied" stands. */
const SAID_MS = 3_000;

/** Puts a box's text on the clipboard, and says so beside it; where the browser forbids that, the text is selected. */
export async function copyBox(box: HTMLInputElement, note: HTMLElement | null): Promise<void> {
  const copied = await copyText(box.value);
  box.select();
  if (!note) return;
  note.textContent = copied ? 'Copied.' : 'Selected; press Ctrl-C to copy.';
  setTimeout(() => {
    note.textContent = '';
  }, SAID_MS);
}
