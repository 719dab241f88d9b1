import type { SessionStatus } from '#protocol';
import type { LabData } from './lab-data.ts';
import { countPassed, type LabChange } from './lab-state.ts';

const MINUTE_MS = 60_000;

/** Tells a screen reader, politely and in one place, what has just changed. */
export class Announcer {
  readonly #region: HTMLElement;
  readonly #lab: LabData;

  /** @param region an element with `aria-live="polite"` */
  constructor(region: HTMLElement, lab: LabData) {
    this.#region = region;
    this.#lab = lab;
  }

  say(text: string): void {
    this.#region.textContent = text;
  }

  /** Speaks of passes, and of the reason that the step at hand has changed to. The first snapshot is no news. */
  hear({ view, before }: LabChange): void {
    if (view.link.state === 'signed-out' && before.link.state !== 'signed-out') {
      this.say(`${view.link.why.message} ${view.link.why.remedy}`);
      return;
    }
    const now = view.snapshot;
    const old = before.snapshot;
    if (!now || !old) return;
    if (now.status.state !== old.status.state) {
      const word = {
        none: '',
        queued: queuedText(now.status),
        starting: 'Hosts are starting.',
        ready: 'Hosts are ready.',
        failed: 'The hosts could not be started.',
        ended: 'The session has ended.',
        stopped: 'The hosts are stopped.',
      };
      if (word[now.status.state]) this.say(word[now.status.state]);
      return;
    }
    if (now.status.state === 'queued' && old.status.state === 'queued') {
      if (now.status.place !== old.status.place) this.say(`You are number ${now.status.place}.`);
      return;
    }
    if (now.ending && !old.ending) {
      const minutes = Math.ceil(now.ending.inMs / MINUTE_MS);
      const when = minutes === 1 ? 'a minute' : `${minutes} minutes`;
      this.say(
        `${now.ending.keeps ? 'Your hosts stop' : 'This session will end'} in ${when}. You can extend it.`,
      );
    }
    if (now.checks === old.checks || now.status.state !== 'ready') return;
    const ids = this.#lab.sections.flatMap((section) => section.checks);
    const passed = newlyPassed({ view, before });
    if (passed.length > 0) {
      const titles = passed.map(titleOf).filter(Boolean);
      this.say(`Passed: ${titles.join('; ')}. ${countPassed(now.checks, ids)} of ${ids.length}.`);
      return;
    }
    const was = new Map(old.checks.map((check) => [check.id, check]));
    const next = now.checks.find(({ state, id }) => state !== 'passed' && titleOf(id));
    const earlier = next && was.get(next.id);
    if (!next || next.state === 'passed' || !earlier || earlier.state === 'passed') return;
    if (next.reason !== earlier.reason) this.say(`${titleOf(next.id)}: ${next.reason}`);
  }
}

function queuedText(status: SessionStatus): string {
  if (status.state !== 'queued') return '';
  const place = `You are number ${status.place} in the queue.`;
  return status.because === 'full' ? `The machine is full. ${place}` : place;
}

/** The checks that have passed just now. */
export function newlyPassed({ view, before }: LabChange): readonly string[] {
  const now = view.snapshot?.checks;
  const old = before.snapshot?.checks;
  if (!now || !old || now === old) return [];
  const was = new Map(old.map(({ id, state }) => [id, state]));
  const passed = now.filter(({ id, state }) => state === 'passed' && was.get(id) !== 'passed');
  return passed.map(({ id }) => id);
}

/** As it stands on this page; empty where the check is on another. */
function titleOf(id: string): string {
  const check = document.querySelector(`[data-check-id="${id}"]`);
  return check?.querySelector('[data-check-title]')?.textContent?.trim() ?? '';
}
