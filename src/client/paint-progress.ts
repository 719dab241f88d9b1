import type { CheckView, HostStatus, SessionStatus } from '#protocol';
import type { LabData } from './lab-data.ts';
import { countPassed, type LabView } from './lab-state.ts';
import { countText, set, setText } from './set.ts';

/** Keeps the bar (n of m, the hosts) and the counts in the sidebar true. */
export function paintProgress(page: ParentNode, lab: LabData, view: LabView): void {
  const checks = view.snapshot?.checks ?? [];
  const ids = lab.sections.flatMap((section) => section.checks);
  const done = countPassed(checks, ids);
  const extras = lab.sections.flatMap((section) => section.extras);
  const text = countText(done, ids.length, countPassed(checks, extras));
  for (const bar of page.querySelectorAll<HTMLElement>('[data-progress]')) {
    setText(bar.querySelector('[data-progress-text]'), text);
    set(bar.querySelector('progress'), 'value', done);
  }
  for (const section of lab.sections) {
    if (section.checks.length + section.extras.length === 0) continue;
    const passed = countPassed(checks, section.checks);
    const extra = countPassed(checks, section.extras);
    const all = section.checks.length;
    for (const link of page.querySelectorAll<HTMLElement>(`[data-section="${section.page}"]`)) {
      link.toggleAttribute('data-complete', all > 0 && passed === all);
      const badge = link.querySelector<HTMLElement>('.section-progress');
      if (!badge) continue;
      const more = extra > 0 ? `+${extra}` : '';
      setText(badge, all > 0 ? `${passed}/${all} ${more}`.trim() : more || 'optional');
      set(badge, 'title', all > 0 ? `${countText(passed, all, extra)} passed` : `${extra} passed`);
    }
  }
  paintClosed(page, lab, checks);
  paintHosts(page, view);
  paintAsking(page, view.link.state === 'signed-out' ? 'none' : view.snapshot?.status.state);
}

/** A page that opens after a check is neither led to nor shown until that has passed. */
function paintClosed(page: ParentNode, lab: LabData, checks: readonly CheckView[]): void {
  for (const { page: name, href, after } of lab.sections) {
    if (after === undefined) continue;
    const isOpen = countPassed(checks, [after]) > 0;
    for (const link of page.querySelectorAll(
      `[data-section="${name}"], [rel="next"][href="${href}"]`,
    )) {
      link.toggleAttribute('data-closed', !isOpen);
    }
    if (name !== lab.page) continue;
    set(page.querySelector<HTMLElement>('[data-opens-after]'), 'hidden', !isOpen);
    set(page.querySelector<HTMLElement>('[data-closed-note]'), 'hidden', isOpen);
  }
}

/** Nothing to end or to put back where nothing runs, nor for whoever the server does not know. */
function paintAsking(page: ParentNode, state: SessionStatus['state'] = 'none'): void {
  const canEnd = state === 'queued' || state === 'starting' || state === 'ready';
  set(page.querySelector<HTMLElement>('[data-ask="end"]'), 'hidden', !canEnd);
  set(page.querySelector<HTMLElement>('[data-ask="reset"]'), 'hidden', state === 'none');
}

function paintHosts(page: ParentNode, { snapshot, link }: LabView): void {
  const status = snapshot?.status;
  const hosts = status && 'hosts' in status ? status.hosts : [];
  const more = page.querySelector<HTMLElement>('.lab-more-button');
  if (more) set(more.dataset, 'phase', phaseOfAll(hosts));
  for (const chip of page.querySelectorAll<HTMLElement>('[data-host-chip]')) {
    const host = hosts.find(({ name }) => name === chip.dataset.hostChip);
    const isKnown = link.state === 'live' || !host;
    const detail = isKnown ? detailOf(host) : 'not connected';
    set(chip.dataset, 'phase', isKnown ? (host?.phase ?? 'off') : 'unknown');
    setText(chip.querySelector('[data-host-detail]'), detail);
    const title = host
      ? `${host.name} (${[host.address, ...host.aliases].join(', ')}): ${detail}`
      : `${chip.dataset.hostChip}: not started`;
    set(chip, 'title', title);
  }
}

/** All hosts in one word, for the button that hides them where there is no room. */
function phaseOfAll(hosts: readonly HostStatus[]): HostStatus['phase'] | 'off' {
  if (hosts.length === 0) return 'off';
  if (hosts.some(({ phase }) => phase === 'down')) return 'down';
  return hosts.every(({ phase }) => phase === 'ready') ? 'ready' : 'starting';
}

function detailOf(host: HostStatus | undefined): string {
  if (!host) return 'not started';
  return host.phase === 'ready' ? 'ready' : host.detail;
}
