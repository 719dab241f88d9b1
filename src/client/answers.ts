import type { SessionSnapshot } from '#protocol';
import type { Announcer } from './announcer.ts';
import type { ApiError, LabApi } from './api.ts';
import type { LabState } from './lab-state.ts';

/*
 * Fetched where a page asks a question. It imports types only: code that it shared with the page's script would be cut out of
 * that into a file of its own, which every page pays for.
 */

/** What an answer is sent with, and shown and said by. */
export interface AnswerParts {
  readonly api: LabApi;
  readonly state: LabState;
  readonly announcer: Announcer;
}

/** Sends what is typed, or the keys of what is chosen, as they stand; says what it is worth. */
export async function submitAnswer(
  form: HTMLFormElement,
  check: string,
  { api, state, announcer }: AnswerParts,
): Promise<void> {
  const text = new FormData(form).getAll('text').join(' ').trim();
  if (text === '') {
    if (form.querySelector('.choices')) tell(form, 'Choose something first.', announcer);
    return;
  }
  form.ariaBusy = 'true';
  try {
    const view = await api.answer(check, text);
    state.apply({ type: 'checks', checks: [view] });
    // The same wrong answer once more changes nothing on the page, but deserves to be heard.
    if (view.state !== 'passed') announcer.say(view.reason);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    tell(form, `${error.message} ${error.remedy}`, announcer);
  } finally {
    form.removeAttribute('aria-busy');
  }
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError';
}

/** Says at a question why its answer was not taken. */
function tell(form: HTMLElement, why: string, announcer: Announcer): void {
  const reason = form.closest('[data-check-id]')?.querySelector<HTMLElement>('[data-check-reason]');
  if (reason) {
    reason.textContent = why;
    reason.hidden = false;
  }
  announcer.say(why);
}

/** Shows the last answers to a page's questions, and leaves what the learner is giving alone. */
export function fillAnswers(page: ParentNode, { answers }: SessionSnapshot): void {
  for (const form of page.querySelectorAll<HTMLElement>('[data-answer]')) {
    if (form.dataset.touched !== undefined) continue;
    const text = answers[form.dataset.answer ?? ''] ?? '';
    const box = form.querySelector<HTMLInputElement>('.answer-box');
    if (!box) showChoices(form, text);
    else if (box !== document.activeElement && box.value !== text) box.value = text;
  }
}

/** @param answer keys with spaces between them; "" for nothing yet */
function showChoices(form: HTMLElement, answer: string): void {
  const keys = answer.split(' ');
  for (const input of form.querySelectorAll<HTMLInputElement>('label > input')) {
    input.checked = keys.includes(input.value);
  }
  const order = form.querySelector<HTMLElement>('[data-order]');
  if (order) arrange(order, answer === '' ? (order.dataset.order ?? '').split(' ') : keys);
}

function arrange(order: HTMLElement, keys: readonly string[]): void {
  const options = keys.flatMap(
    (key) => order.querySelector(`[data-choice="${CSS.escape(key)}"]`) ?? [],
  );
  if (options.some((option, place) => order.children[place] !== option)) order.append(...options);
}

/** Moves an option of an order by one place. @returns where it stands then, in words */
export function moveOption(button: HTMLElement): string {
  const option = button.closest('li');
  const list = option?.parentElement;
  const form = button.closest<HTMLElement>('[data-answer]');
  if (!option || !list || !form) return '';
  // Its neighbour moves, so that the button keeps the focus.
  const isUp = button.dataset.move === 'up';
  const neighbour = isUp ? option.previousElementSibling : option.nextElementSibling;
  if (neighbour) option[isUp ? 'after' : 'before'](neighbour);
  form.dataset.touched = '';
  const text = option.querySelector('[data-choice-text]')?.textContent?.trim();
  return `${text}: ${[...list.children].indexOf(option) + 1} of ${list.children.length}`;
}

/** After a reset nothing has been answered; what the forms hold is of the life before. */
export function forgetAnswers(page: ParentNode): void {
  for (const form of page.querySelectorAll<HTMLFormElement>('[data-answer]')) {
    delete form.dataset.touched;
    form.reset();
  }
}
