/** How long "Copied" stands. */
const SAID_MS = 3_000;

/** Puts a box's text on the clipboard, and says so beside it; where the browser forbids that, selects it to be copied. */
export async function copyBox(box: HTMLInputElement, note: HTMLElement | null): Promise<void> {
  box.select();
  const copied = await navigator.clipboard?.writeText(box.value).then(
    () => true,
    () => false,
  );
  if (!note) return;
  note.textContent = copied ? 'Copied.' : 'Selected; press Ctrl-C to copy.';
  setTimeout(() => {
    note.textContent = '';
  }, SAID_MS);
}
