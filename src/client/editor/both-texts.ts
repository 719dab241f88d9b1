import { comparison, type MergeView } from './code-editor.ts';
import { ask, button, element } from './elements.ts';
import type { OpenFile } from './open-file.ts';

/** The two ways out of two texts. */
export interface TwoWays {
  saveMine(): void;
  takeTheirs(): void;
}

/** A file's two texts side by side, and what is said of them with the ways out. @param theirs what it is on the host now */
export function bothTexts(
  { path, state }: OpenFile,
  theirs: string,
  host: string,
  { saveMine, takeTheirs }: TwoWays,
): { readonly view: MergeView; readonly ways: readonly HTMLElement[] } {
  const view = comparison(path, theirs, state.sliceDoc(), [`On ${host} now`, 'Yours']);
  const says = `${path} has changed on ${host} since you opened it. Left: what it is there. Right: yours, which you can still edit.`;
  const ways = [
    element('p', {}, says),
    button('Save mine', saveMine, 'button primary'),
    button(`Take what is on ${host}`, takeTheirs),
  ];
  return { view, ways };
}

/** Whether the learner's text is to be saved although there is nothing to compare it with. */
export async function mayReplace(
  { path }: OpenFile,
  host: string,
  isGone: boolean,
): Promise<boolean> {
  const now = isGone ? 'is gone from' : 'is no longer a text that can be shown on';
  const choices = [
    ['stay', 'Keep editing'],
    ['mine', 'Save mine in its place'],
  ] as const;
  const text = 'What you have written is still here.';
  return (await ask(`${path} ${now} ${host}`, text, choices)) === 'mine';
}

/** Whether text that is not saved may go. @param which what it is of, where the title does not say so */
export async function mayLose(title: string, which = ''): Promise<boolean> {
  const choices = [
    ['stay', 'Keep editing'],
    ['go', 'Close without saving'],
  ] as const;
  const text = `What you have written since the last save goes${which}.`;
  return (await ask(title, text, choices)) === 'go';
}
