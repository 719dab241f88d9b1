import type { CheckView, Fix } from '#protocol';
import type { LabView } from './lab-state.ts';
import { set, setText } from './set.ts';

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

const MARKS: Readonly<Record<CheckView['state'], string>> = {
  passed: 'Passed:',
  'not-yet': 'Not yet:',
  unknown: 'Could not check:',
};

/** Shows every check on the page as the session has it; the same view twice changes nothing. */
export function paintChecks(page: ParentNode, view: LabView): void {
  const { snapshot } = view;
  const checks = new Map(snapshot?.checks.map((check) => [check.id, check]));
  for (const element of page.querySelectorAll<HTMLElement>('[data-check-id]')) {
    const check = checks.get(element.dataset.checkId ?? '');
    const known = view.link.state !== 'absent' ? check : undefined;
    paintCheck(element, known, reasonFor(known, view));
  }
}

/** While the hosts do not run, every check would say the same; the workspace says it once. */
function reasonFor(check: CheckView | undefined, { link, snapshot }: LabView): string {
  if (link.state === 'signed-out') return link.why.message;
  if (!check) return link.state === 'connecting' ? '' : 'Not connected.';
  if (check.state === 'passed' || snapshot?.status.state !== 'ready') return '';
  return check.reason;
}

function paintCheck(element: HTMLElement, check: CheckView | undefined, reason: string): void {
  const state = check?.state ?? 'unknown';
  set(element.dataset, 'checkState', state);
  element.toggleAttribute('data-check-assisted', check?.state === 'passed' && !!check.assisted);
  setText(element.querySelector('[data-check-mark]'), check ? MARKS[state] : '');
  const line = element.querySelector<HTMLElement>('[data-check-reason]');
  setText(line, reason);
  set(line, 'hidden', reason === '');
  paintTime(element.querySelector('[data-check-time]'), check);
  paintMoved(element.querySelector('[data-check-moved]'), check);
  const fix = check?.state === 'not-yet' && reason !== '' ? check.wayOut : undefined;
  paintFix(element.querySelector('[data-check-way-out]'), fix);
}

function paintTime(time: HTMLTimeElement | null, check: CheckView | undefined): void {
  set(time, 'hidden', check?.state !== 'passed');
  if (check?.state !== 'passed') return;
  const passedAt = new Date(check.passedAt);
  set(time, 'dateTime', passedAt.toISOString());
  set(time, 'title', passedAt.toLocaleString());
  const at = CLOCK.format(passedAt);
  setText(time, check.assisted ? `done for you · ${at}` : at);
}

/** The tick stays; one quiet line says what has become of the hosts since. */
function paintMoved(line: HTMLElement | null, check: CheckView | undefined): void {
  const moved = check?.state === 'passed' ? check.moved : undefined;
  set(line, 'hidden', moved === undefined);
  const time = check?.state === 'passed' ? CLOCK.format(new Date(check.passedAt)) : '';
  setText(line, moved === undefined ? '' : `Done at ${time}. Since then: ${moved}`);
}

/** The command that mends it, ready to run. Built anew only when it is another one, so that focus stays. */
function paintFix(place: HTMLElement | null, fix: Fix | undefined): void {
  set(place, 'hidden', !fix);
  const button = place?.querySelector<HTMLButtonElement>('[data-run-host]');
  if (!place || !fix || !button) return;
  set(button.dataset, 'runHost', fix.host);
  set(button.dataset, 'runCode', fix.command);
  set(button, 'title', `Run on ${fix.host}`);
  set(button, 'ariaLabel', `Run on ${fix.host}: ${fix.command}`);
  setText(place.querySelector('code'), fix.command);
}
