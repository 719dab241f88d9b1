import { arrangeLabs } from './arrange-labs.ts';
import type { LabData } from './lab-data.ts';
import { countPassed, type LabView } from './lab-state.ts';
import { set, setText } from './set.ts';

/** Shows the lab's last words once every check has passed. */
export function paintEnd(page: ParentNode, lab: LabData, { snapshot }: LabView): void {
  const end = page.querySelector<HTMLElement>('[data-lab-end]');
  if (!end || !snapshot) return;
  const ids = lab.sections.flatMap((section) => section.checks);
  const isDone = ids.length > 0 && countPassed(snapshot.checks, ids) === ids.length;
  set(end, 'hidden', !isDone);
  if (!isDone) return;
  if (!end.dataset.offered) void offerLabs(end);
  const assisted = snapshot.checks.filter(
    (check) => check.state === 'passed' && check.assisted && ids.includes(check.id),
  );
  const extras = lab.sections.flatMap((section) => section.extras);
  const extra = countPassed(snapshot.checks, extras);
  const more = extra > 0 ? `, and ${extra} more` : '';
  setText(end.querySelector('[data-end-title]'), `You have done all ${ids.length} steps${more}`);
  setText(end.querySelector('[data-end-assisted]'), assistedText(assisted.length, ids.length));
}

/** Of the labs to go on with, shows those that this server has: asked once, when they are wanted. */
async function offerLabs(end: HTMLElement): Promise<void> {
  end.dataset.offered = 'true';
  const list = end.querySelector('ul');
  if (list?.querySelector('[data-lab]')) await arrangeLabs(list, list.lastElementChild);
}

function assistedText(assisted: number, of: number): string {
  if (assisted === 0) return 'All of them by yourself.';
  if (assisted === of) return 'All of them were done for you; Reset gives you fresh hosts to try.';
  return `${assisted} of them ${assisted === 1 ? 'was' : 'were'} done for you.`;
}
