import type { SignalOf } from '#lab';
import { SERVER, SERVER_ADDRESS } from './myapp2.ts';

/** Every way to write server01 in an address. */
const SERVER_NAMES: readonly string[] = [SERVER_ADDRESS, SERVER, 'agent01', 'mesos-agent01'];

/** Whether a visit went to server01, by whichever of its names. */
export function isToServer(visit: SignalOf<'visit'>): boolean {
  return SERVER_NAMES.includes(visit.hostname.toLowerCase());
}

/** Whether a visit brought a page, and no error page of the server. */
export function isPage(visit: SignalOf<'visit'>): boolean {
  return visit.outcome === 'page' && (visit.status ?? 0) < 400;
}

/** The address of a visit as a learner would type it. */
export function typed(visit: SignalOf<'visit'>): string {
  return `http://${visit.hostname}${visit.port === 80 ? '' : `:${visit.port}`}`;
}

/** How a visit without a page ended, as a half-sentence. */
export function ending(visit: SignalOf<'visit'>): string {
  switch (visit.outcome) {
    case 'page':
      return `answered with status ${visit.status ?? 'unknown'}`;
    case 'refused':
      return 'was refused: nothing listens there';
    case 'timed-out':
      return 'never answered';
    case 'unreachable':
      return 'cannot be reached: the client knows no way there';
    case 'unknown-host':
      return 'has a name that nobody knows';
    case 'broken':
      return 'answered, but not with a web page';
  }
}
