import type { LabStep } from '../lab-data.ts';

/** What of a page decides which step a hint belongs to. */
export type Landmark =
  | { readonly kind: 'check'; readonly id: string }
  | { readonly kind: 'deed' }
  | { readonly kind: 'hint' };

const LANDMARKS = '[data-check-id], [data-host-block], a.visit, details.hint';

/**
 * The check that each hint helps with: the one before it, unless something else is to be done in between; then the one
 * that comes next.
 */
export function checksOfHints(marks: readonly Landmark[]): readonly (string | undefined)[] {
  return marks.flatMap((mark, at) => {
    if (mark.kind !== 'hint') return [];
    const before = marks.slice(0, at).findLast(({ kind }) => kind !== 'hint');
    if (before?.kind === 'check') return [before.id];
    const after = marks.slice(at).find(({ kind }) => kind === 'check');
    return [after?.kind === 'check' ? after.id : undefined];
  });
}

/**
 * Neighbouring hints come one after the other: the next is there once the one before it has been opened, and the last
 * one offers to have the step done. Without this script they are plain details, all of them in sight.
 */
export function arrangeHints(page: ParentNode, steps: readonly LabStep[]): void {
  const marked = [...page.querySelectorAll<HTMLElement>(LANDMARKS)].filter(
    (element) => !element.parentElement?.closest('details.hint'),
  );
  const hints = marked.filter((element) => element.matches('details.hint'));
  const helped = checksOfHints(marked.map(landmarkOf));
  const groups = Map.groupBy(hints, firstOfGroup);
  for (const group of groups.values()) {
    if (group.some((hint) => hint.dataset.arranged !== undefined)) continue;
    for (const [index, hint] of group.entries()) {
      hint.dataset.arranged = '';
      number(hint, index, group.length);
      const next = group[index + 1];
      if (!next) continue;
      next.hidden = true;
      hint.addEventListener('toggle', () => {
        next.hidden = false;
      });
    }
    const last = group.at(-1);
    const check = last && helped[hints.indexOf(last)];
    const step = steps.find(({ checks }) => check !== undefined && checks.includes(check));
    if (last && step?.hasActions) last.append(doIt(step.id));
  }
}

function landmarkOf(element: HTMLElement): Landmark {
  if (element.matches('details.hint')) return { kind: 'hint' };
  const id = element.dataset.checkId;
  return id === undefined ? { kind: 'deed' } : { kind: 'check', id };
}

function firstOfGroup(hint: HTMLElement): Element {
  let first: Element = hint;
  while (first.previousElementSibling?.matches('details.hint')) {
    first = first.previousElementSibling;
  }
  return first;
}

/** "Hint 1 of 2", with its own title behind it where it has one. */
function number(hint: HTMLElement, index: number, of: number): void {
  const summary = hint.querySelector('summary');
  if (!summary || of === 1) return;
  const title = summary.textContent?.trim() ?? '';
  summary.textContent = `Hint ${index + 1} of ${of}${title === 'Hint' ? '' : `: ${title}`}`;
}

function doIt(step: string): HTMLElement {
  const line = document.createElement('p');
  line.className = 'hint-do-it not-content';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.dataset.doIt = '';
  button.dataset.doStep = step;
  line.append(button);
  return line;
}
