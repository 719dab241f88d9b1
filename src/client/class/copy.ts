import { copyText } from '../copy-text.ts';

/** How long "Copied" stands. */
const SAID_MS = 3_000;

/**
 * Puts the text of a box, or of any other element, on the clipboard, and says so beside it; where the browser forbids
 * that, the text is selected.
 */
export async function copyBox(box: HTMLElement, note: HTMLElement | null): Promise<void> {
  const isBox = box instanceof HTMLInputElement;
  const copied = await copyText(isBox ? box.value : box.textContent);
  if (isBox) box.select();
  else getSelection()?.selectAllChildren(box);
  if (!note) return;
  note.textContent = copied ? 'Copied.' : 'Selected; press Ctrl-C to copy.';
  setTimeout(() => {
    note.textContent = '';
  }, SAID_MS);
}
