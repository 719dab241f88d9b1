/**
 * Puts text on the clipboard. To be called within a click or a key of the user's: browsers ask for one.
 *
 * @returns whether it is there
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // On plain http there is no such clipboard: the browser's own command is left.
    return copyField(text);
  }
}

/** What is said where {@link copyText} could not. */
export const NOT_COPIED =
  'This browser lets the page copy nothing. Select the text, and take Copy from the menu of the right mouse button.';

/** The command copies what is selected, and says that it has where nothing is: a field of our own is selected. */
function copyField(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.className = 'sr-only';
  field.ariaHidden = 'true';
  field.value = text;
  let copied = false;
  field.addEventListener('copy', () => {
    copied = true;
  });
  // A dialog that is open keeps the focus from all that is outside of it.
  (focused?.closest('dialog') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy') && copied;
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}
