import { confirmed } from '../confirm.ts';

/** Asks the instructor before something that others notice. */
export function isSure(
  dialog: HTMLDialogElement,
  title: string,
  text: string,
  yes: string,
): Promise<boolean> {
  const part = (name: string) => dialog.querySelector(`[data-sure="${name}"]`) as HTMLElement;
  part('title').textContent = title;
  part('text').textContent = text;
  part('yes').textContent = yes;
  return confirmed(dialog);
}
