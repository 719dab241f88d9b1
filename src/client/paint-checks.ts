import type { CheckView, Fix, SessionSnapshot } from '#protocol';
import type { LabView } from './lab-state.ts';

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

const MARKS: Readonly<Record<CheckView['state'], string>> = {
  passed: 'Passed:',
  'not-yet': 'Not yet:',
  unknown: 'Could not check:',
};

/** Shows every check on the page as the session has it; the same view twice changes nothing. */
export function paintChecks(page: ParentNode, view: LabView): void {
  const { snapshot } = view;
  for (const element of page.querySelectorAll<HTMLElement>('[data-check-id]')) {
    const check = snapshot?.checks.find(({ id }) => id === element.dataset.checkId);
    const known = snapshot && view.link.state !== 'absent' ? check : undefined;
    paintCheck(element, known, reasonFor(known, view));
    if (snapshot) fillAnswer(element, snapshot);
  }
}

/** While the hosts do not run, every check would say the same; the workspace says it once. */
function reasonFor(check: CheckView | undefined, { link, snapshot }: LabView): string {
  if (link.state === 'signed-out') return 'This browser is not signed in.';
  if (!check) return link.state === 'connecting' ? '' : 'Not connected.';
  if (check.state === 'passed' || snapshot?.status.state !== 'ready') return '';
  return check.reason;
}

function paintCheck(element: HTMLElement, check: CheckView | undefined, reason: string): void {
  const state = check?.state ?? 'unknown';
  element.dataset.checkState = state;
  element.toggleAttribute('data-check-assisted', check?.state === 'passed' && !!check.assisted);
  setText(element.querySelector('[data-check-mark]'), check ? MARKS[state] : '');
  const line = element.querySelector<HTMLElement>('[data-check-reason]');
  setText(line, reason);
  if (line) line.hidden = reason === '';
  paintTime(element.querySelector('[data-check-time]'), check);
  paintMoved(element.querySelector('[data-check-moved]'), check);
  const fix = check?.state === 'not-yet' && reason !== '' ? check.wayOut : undefined;
  paintFix(element.querySelector('[data-check-way-out]'), fix);
}

function paintTime(time: HTMLTimeElement | null, check: CheckView | undefined): void {
  if (!time) return;
  time.hidden = check?.state !== 'passed';
  if (check?.state !== 'passed') return;
  const passedAt = new Date(check.passedAt);
  time.dateTime = passedAt.toISOString();
  time.title = passedAt.toLocaleString();
  const at = CLOCK.format(passedAt);
  setText(time, check.assisted ? `done for you · ${at}` : at);
}

/** The tick stays; one quiet line says what has become of the hosts since. */
function paintMoved(line: HTMLElement | null, check: CheckView | undefined): void {
  if (!line) return;
  const moved = check?.state === 'passed' ? check.moved : undefined;
  line.hidden = moved === undefined;
  const time = check?.state === 'passed' ? CLOCK.format(new Date(check.passedAt)) : '';
  setText(line, moved === undefined ? '' : `Done at ${time}. Since then: ${moved}`);
}

/** The command that mends it, ready to run. Built anew only when it is another one, so that focus stays. */
function paintFix(place: HTMLElement | null, fix: Fix | undefined): void {
  if (!place) return;
  place.hidden = !fix;
  const button = place.querySelector<HTMLButtonElement>('[data-run-host]');
  if (!fix || !button) return;
  button.dataset.runHost = fix.host;
  button.dataset.runCode = fix.command;
  button.title = `Run on ${fix.host}`;
  button.ariaLabel = `Run on ${fix.host}: ${fix.command}`;
  setText(place.querySelector('code'), fix.command);
}

/** Puts the last answer into an empty box, and leaves what the learner is typing alone. */
function fillAnswer(element: HTMLElement, { answers }: SessionSnapshot): void {
  const box = element.querySelector<HTMLInputElement>('input.answer-box');
  const text = answers[element.dataset.checkId ?? ''];
  if (!box || box.dataset.touched !== undefined || box === document.activeElement) return;
  box.value = text ?? '';
}

/** Writes only what is new: a live region speaks at every write. */
export function setText(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}
