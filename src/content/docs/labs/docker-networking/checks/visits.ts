import type { SignalOf } from '#lab';
import { SERVER, SERVER_ADDRESS } from './myapp2.ts';

/** Every way to write server01 in an address. */
const SERVER_NAMES: readonly string[] = [SERVER_ADDRESS, SERVER, 'agent01', 'mesos-agent01'];

/** Whether a visit went to server01, by whichever of its names. */
export function isToServer(visit: SignalOf<'visit'>): boolean {
  return SERVER_NAMES.includes(visit.hostname.toLowerCase());
}

/** The address of a visit as a learner would type it. */
export function typed(visit: SignalOf<'visit'>): string {
  return `http://${visit.hostname}${visit.port === 80 ? '' : `:${visit.port}`}`;
}
