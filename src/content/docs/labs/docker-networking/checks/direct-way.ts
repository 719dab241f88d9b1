import { isDropped, isPage, isWithin, type SandboxView, type SignalOf } from '#lab';
import { CLIENT } from './client-route.ts';
import { SERVER } from './myapp2.ts';

/** From this version on Docker's engine throws away what other machines send to a container's own address. */
const CLOSED_SINCE = 28;
/** The container's own: nothing on the direct way translates it. */
const WEB_PORT = 80;

type Visit = SignalOf<'visit'>;

/** The visits to the web server at an address, or at any of a network, oldest first. */
export function directVisits({ journal }: SandboxView, where: string): readonly Visit[] {
  return journal
    .all('visit')
    .filter(({ hostname, port }) => port === WEB_PORT && isWithin(hostname, where));
}

/**
 * Whether one of these visits to a container's address brought the page; or the last of them no answer, where the engine of its
 * host drops what comes this way: then this is what there is to be seen. A visit from before the present route says nothing.
 */
export async function haveSeen(sandbox: SandboxView, visits: readonly Visit[]): Promise<boolean> {
  if (visits.some(isPage)) return true;
  const last = visits.at(-1);
  if (last?.outcome !== 'timed-out') return false;
  const routed = sandbox.journal.last('route', ({ host }) => host === CLIENT);
  if (routed && routed.seq > last.seq) return false;
  return await isDropped(sandbox.host(SERVER), last.hostname);
}

/**
 * The first visit by which a learner has seen where the direct way leads. Its container may be stopped by now, and has no rules
 * then: what was dropped is told by the engine's version.
 */
export async function firstDirectVisit(
  sandbox: SandboxView,
  network: string,
): Promise<Visit | undefined> {
  const visits = directVisits(sandbox, network);
  const page = visits.find(isPage);
  if (page || visits.length === 0) return page;
  const major = Number.parseInt(await sandbox.host(SERVER).engineVersion(), 10);
  return major >= CLOSED_SINCE ? visits.find(({ outcome }) => outcome === 'timed-out') : undefined;
}
