import type { CheckView } from '#protocol';
import type { LabData, LabStep } from '../lab-data.ts';
import type { LabView } from '../lab-state.ts';
import { set, setText } from '../set.ts';

/** Shows each step's button while there is something to be done for it, and makes it a way to stop while it is. */
export function paintGuideButtons(page: ParentNode, lab: LabData, view: LabView): void {
  const ready = view.link.state === 'live' && view.snapshot?.status.state === 'ready';
  for (const button of page.querySelectorAll<HTMLButtonElement>('[data-do-it]')) {
    const step = stepOf(button, lab);
    paintButton(button, ready ? step : undefined, view);
  }
  const starting = view.link.state === 'live' && view.snapshot !== undefined;
  for (const button of page.querySelectorAll<HTMLElement>('[data-start-from]')) {
    if (button.closest('.page-start')) set(button, 'hidden', !starting);
  }
}

/** A check's own button stands at the last check of its step; one in a hint names its step. */
function stepOf(button: HTMLElement, { steps }: LabData): LabStep | undefined {
  const { doStep } = button.dataset;
  const check = button.closest<HTMLElement>('[data-check-id]')?.dataset.checkId;
  return check === undefined
    ? steps.find(({ id }) => id === doStep)
    : steps.find(({ checks }) => checks.at(-1) === check);
}

function paintButton(
  button: HTMLButtonElement,
  step: LabStep | undefined,
  { snapshot }: LabView,
): void {
  const guide = snapshot?.guide;
  const isWorking = guide?.state === 'working';
  const isThis = isWorking && guide.step === step?.id;
  const offered = step?.hasActions && (isThis || isOpen(step, snapshot?.checks ?? []));
  if (!step || !offered) {
    leave(button);
    set(button, 'hidden', true);
    return;
  }
  set(button, 'hidden', false);
  set(button.dataset, 'doStep', step.id);
  button.toggleAttribute('data-working', isThis);
  // Not `disabled`: it may have the focus when another step begins.
  set(button, 'ariaDisabled', String(isWorking && !isThis));
  setText(button, isThis ? 'Stop' : 'Do it for me');
}

/** Not passed yet, or passed on hosts that have moved on since. */
function isOpen({ checks }: LabStep, views: readonly CheckView[]): boolean {
  return views.some(
    (view) => checks.includes(view.id) && (view.state !== 'passed' || view.moved !== undefined),
  );
}

/** A button that goes while it has the focus hands it to the check it stands at. */
function leave(button: HTMLElement): void {
  if (button !== document.activeElement) return;
  const place = button.closest<HTMLElement>('[data-check-id], details');
  if (!place) return;
  place.tabIndex = -1;
  place.focus();
}
