import type { CheckView, HostStatus, SessionStatus } from '#protocol';
import type { ApiError } from '../api.ts';
import { withBase } from '../base-path.ts';
import { codeText } from '../code-text.ts';
import { type LabData, stepsBefore } from '../lab-data.ts';
import { countPassed, type LabView } from '../lab-state.ts';
import type { Blocked } from '../session-link.ts';
import { set } from '../set.ts';

/** What a notice says, and what it offers to do. */
interface Notice {
  readonly title: string;
  readonly text: readonly string[];
  readonly hosts?: readonly {
    readonly name: string;
    readonly phase: string;
    readonly detail: string;
  }[];
  readonly action?: { readonly label: string; readonly does: 'start' | 'reload' };
  readonly link?: { readonly label: string; readonly href: string };
  /** The section to start from, where there is something to be done before it. */
  readonly from?: { readonly page: string; readonly title: string };
  readonly busy?: boolean;
}

/** Codes of refusals to a browser whose learner was in the class. */
const OUT_OF_CLASS: readonly string[] = ['LINK_REPLACED', 'LEARNER_REMOVED'];
const JOIN = { link: { label: 'Join the class', href: withBase('/join/') } } as const;

type QueuedStatus = Extract<SessionStatus, { readonly state: 'queued' }>;

/**
 * What lies over the workspace while there are no prompts to type at: what is going on, host by host, or what went
 * wrong and what to do about it. `refusal` is the server's answer to the last attempt to start.
 */
export function paintNotice(
  place: HTMLElement,
  lab: LabData,
  view: LabView,
  refusal: ApiError | undefined,
): void {
  const notice = noticeFor(lab, view, refusal);
  set(place, 'hidden', !notice);
  if (!notice) {
    place.replaceChildren();
    return;
  }
  const hosts = notice.hosts && list(notice.hosts);
  const key = JSON.stringify({ ...notice, hosts: undefined });
  // Only the hosts' words change while they start; the rest stays, with the focus that may be on it.
  if (place.dataset.notice === key) {
    const old = place.querySelector('.notice-hosts');
    if (old && hosts && old.outerHTML !== hosts.outerHTML) old.replaceWith(hosts);
    return;
  }
  place.dataset.notice = key;
  const card = document.createElement('div');
  card.className = 'notice-card';
  card.append(element('h2', notice.title), ...notice.text.map(sentence));
  if (hosts) card.append(hosts);
  if (notice.action) {
    const button = element('button', notice.action.label);
    button.className = 'button primary';
    button.type = 'button';
    button.dataset[notice.action.does === 'start' ? 'start' : 'reload'] = '';
    card.append(button);
  }
  if (notice.link) {
    const anchor = element('a', notice.link.label);
    anchor.className = 'button primary';
    anchor.href = notice.link.href;
    card.append(anchor);
  }
  if (notice.from) {
    const button = element('button', `Start from “${notice.from.title}”`);
    button.className = 'button';
    button.type = 'button';
    button.dataset.startFrom = notice.from.page;
    card.append(
      element('p', 'Or have the steps before this place done for you on fresh hosts:'),
      button,
    );
  }
  place.ariaBusy = String(notice.busy ?? false);
  place.replaceChildren(card);
}

/** The same in a line, for whoever has only the text in sight; `undefined` where it asks for no attention. */
export function noticeLine(lab: LabData, view: LabView, refusal?: ApiError): string | undefined {
  const state = view.snapshot?.status.state;
  const isCalm =
    state === undefined
      ? view.link.state === 'connecting'
      : state === 'starting' || state === 'none';
  if (isCalm && !refusal && !['signed-out', 'blocked'].includes(view.link.state)) return undefined;
  const notice = noticeFor(lab, view, refusal);
  return (
    notice && [`${notice.title.replace(/\.$/, '')}.`, ...notice.text].join(' ').replaceAll('`', '')
  );
}

/** What to say where the hosts were made from an earlier version of the lab. */
export function changeLine({ snapshot }: LabView): string | undefined {
  return snapshot?.changed
    ? 'This lab has changed since your hosts were made. Reset gives you those of the new one; every step is open again then.'
    : undefined;
}

function noticeFor(lab: LabData, view: LabView, refusal?: ApiError): Notice | undefined {
  const { link, snapshot } = view;
  if (link.state === 'signed-out' && OUT_OF_CLASS.includes(link.why.code)) {
    return {
      title: link.why.message,
      text: [link.why.remedy, 'You can read this page meanwhile.'],
      ...(link.why.code === 'LEARNER_REMOVED' && JOIN),
    };
  }
  if (link.state === 'signed-out' && link.why.code === 'NOT_JOINED') {
    return {
      title: 'You have not joined the class',
      text: [
        'Join it with the code that your instructor shows, and these hosts are yours. Joined before? Open your personal link.',
        'You can read this page meanwhile.',
      ],
      ...JOIN,
    };
  }
  if (link.state === 'signed-out') {
    return {
      title: 'This browser is not signed in',
      text: [
        'Open the address that `npm start` printed after “Quayside is ready:” once in this browser.',
        'When you come back to this page it goes on by itself. You can read it meanwhile.',
      ],
      action: { label: 'Try again', does: 'reload' },
    };
  }
  if (link.state === 'blocked') return blockedNotice(link.why);
  if (!snapshot) {
    if (link.state !== 'absent') return { title: 'Connecting', text: [], busy: true };
    return {
      title: 'Not connected',
      text: [
        'The Quayside server does not answer, so there are no hosts to type into. Start it with `npm start`.',
        'This page then connects by itself. You can read it meanwhile.',
      ],
    };
  }
  if (refusal) {
    return {
      title: 'The hosts could not be started',
      text: [refusal.message, refusal.remedy],
      action: { label: 'Try again', does: 'start' },
    };
  }
  const { status } = snapshot;
  switch (status.state) {
    case 'ready':
      return undefined;
    case 'none':
      return {
        title: 'Your own hosts',
        text: ['They start in a few seconds, and are yours alone.'],
        hosts: lab.hosts.map(({ name, aliases }) => ({
          name,
          phase: 'off',
          detail: aliases.length > 0 ? `also ${aliases.join(', ')}` : '',
        })),
        action: { label: 'Start the lab', does: 'start' },
      };
    case 'queued':
      return {
        title: status.because === 'full' ? 'The machine is full' : 'Your hosts start in a moment',
        text: queueWords(status),
        busy: true,
      };
    case 'starting':
      return {
        title: 'Starting your hosts',
        text: status.trouble ? [status.trouble] : [],
        hosts: status.hosts.map(hostLine),
        busy: true,
      };
    case 'failed':
      return {
        title: 'The hosts could not be started',
        text: [status.reason, status.remedy],
        action: { label: 'Try again', does: 'start' },
        ...placeToStart(lab, snapshot.checks),
      };
    case 'ended':
      return {
        title: 'This session has ended',
        text: [status.reason, 'Starting again gives you fresh hosts.'],
        action: { label: 'Start again', does: 'start' },
        ...placeToStart(lab, snapshot.checks),
      };
    case 'stopped':
      return {
        title: 'Your hosts are stopped',
        text: [status.reason],
        action: { label: 'Go on', does: 'start' },
      };
    default:
      return status satisfies never;
  }
}

function blockedNotice(why: Blocked): Notice {
  const back = 'This page then connects by itself. You can read it meanwhile.';
  if (why !== 'network') {
    return { title: 'The server refuses this page', text: [why.message, why.remedy, back] };
  }
  return {
    title: 'This network stops WebSockets',
    text: [
      'The Quayside server answers, but no WebSocket gets as far as it, and terminals need them.',
      `Ask whoever runs this network to let WebSockets through to \`${location.host}\`. If there is a proxy of your own in front of Quayside, it has to pass on the header \`Upgrade\`.`,
      back,
    ],
  };
}

/** The page in sight, or the section of the first step that is open; nothing where no step comes before it. */
function placeToStart(lab: LabData, checks: readonly CheckView[]): Pick<Notice, 'from'> {
  const open = (ids: readonly string[]): boolean => countPassed(checks, ids) < ids.length;
  const section =
    lab.sections.find(({ page }) => page === lab.page) ??
    lab.sections.find(({ checks: ids }) => open(ids));
  if (!section || stepsBefore(lab, section.page) === 0) return {};
  return { from: { page: section.page, title: section.title } };
}

function queueWords({ place, because, waitSeconds }: QueuedStatus): readonly string[] {
  const where = place === 1 ? 'You are next.' : `You are number ${place} in the queue.`;
  const why =
    because === 'full'
      ? 'As many labs run as this machine has room for. Yours starts by itself when one ends.'
      : 'Others are starting right now, and yours follows by itself.';
  const wait =
    waitSeconds === undefined
      ? 'Nothing has ended yet that an estimate could be made from.'
      : `It will take about ${duration(waitSeconds)}.`;
  return because === 'busy' && waitSeconds === undefined
    ? [where, why]
    : [`${where} ${wait}`, `${why} You can read meanwhile.`];
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}

function hostLine({ name, phase, detail }: HostStatus) {
  return { name, phase, detail: phase === 'ready' ? 'ready' : detail };
}

function list(hosts: NonNullable<Notice['hosts']>): HTMLElement {
  const items = hosts.map(({ name, phase, detail }) => {
    const item = document.createElement('li');
    item.dataset.phase = phase;
    item.append(element('strong', detail ? `${name}:` : name), ' ', element('span', detail));
    return item;
  });
  const all = document.createElement('ul');
  all.className = 'notice-hosts';
  all.append(...items);
  return all;
}

/** A paragraph; what stands between back-ticks is code. */
function sentence(text: string): HTMLElement {
  const paragraph = document.createElement('p');
  paragraph.append(...codeText(text));
  return paragraph;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text: string) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
