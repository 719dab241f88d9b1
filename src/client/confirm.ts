/**
 * Asks before something that cannot be undone.
 *
 * @param dialog a `<dialog>` whose form has a button with the value `yes`
 */
export function confirmed(dialog: HTMLDialogElement): Promise<boolean> {
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
