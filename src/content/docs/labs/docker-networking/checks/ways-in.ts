import {
  ending,
  formerPorts,
  isPage,
  isWithin,
  notYet,
  obstacleTo,
  type SandboxView,
  type SignalOf,
  type Start,
  startBefore,
  type Verdict,
} from '#lab';
import { firstDirectVisit } from './direct-way.ts';
import { type Myapp2, NAME, SERVER, SERVER_ADDRESS, WEB, withMyapp2 } from './myapp2.ts';
import { lostPorts, myapp2Starts } from './starts.ts';
import { isToServer, typed } from './visits.ts';

/** Docker's default bridge; read from the engine where that tells, since an operator may have moved it. */
const USUAL_BRIDGE_SUBNET = '172.17.0.0/16';

/** The subnet of Docker's default bridge on server01. */
export async function bridgeSubnet(sandbox: SandboxView): Promise<string> {
  const networks = await sandbox.host(SERVER).networks();
  const bridge = networks.find((network) => network.name === 'bridge');
  return bridge?.subnets[0] ?? USUAL_BRIDGE_SUBNET;
}

/** The first restart of myapp2 that came after a visit to its own address; or what is still to be done for one. */
export async function restartAfterDirectPage(sandbox: SandboxView): Promise<Start | Verdict> {
  const subnet = await bridgeSubnet(sandbox);
  const opened = await firstDirectVisit(sandbox, subnet);
  if (!opened) {
    return notYet(
      'First open the container’s own address, so that you see what a restart changes.',
    );
  }
  const since = myapp2Starts(sandbox.journal).filter((start) => start.seq > opened.seq);
  const restart = since.find((start) => start.again);
  if (restart) return restart;
  return withMyapp2(sandbox, () =>
    since.length > 0
      ? notYet(
          `${NAME} was removed and made anew, which is not a restart. Restart the one you have.`,
          { host: SERVER, command: `docker restart ${NAME}` },
        )
      : notYet(`${NAME} has not been restarted since you opened its own address.`),
  );
}

/** Whether a visit was refused at a port that led to myapp2 until its newest start before the visit. */
export function oldPortRefused({ journal }: SandboxView): boolean {
  const starts = myapp2Starts(journal);
  const former = formerPorts(starts, WEB);
  return journal.all('visit').some((visit) => {
    if (visit.outcome !== 'refused' || !isToServer(visit)) return false;
    const start = startBefore(starts, visit.seq);
    return start !== undefined && former.includes(start, visit.port);
  });
}

/** Why no visit has been refused at an old port yet. */
export function oldPortUntried(sandbox: SandboxView, { port }: Myapp2): Verdict {
  const starts = myapp2Starts(sandbox.journal);
  const newest = starts.at(-1);
  const lost = lostPorts(starts);
  const old = lost.at(-1);
  if (!newest || old === undefined) {
    return notYet(`${NAME} has had only one port so far. Restart it first.`);
  }
  const url = `http://${SERVER_ADDRESS}:${old}`;
  const visit = sandbox.journal.last('visit', (each) => each.seq > newest.seq && isToServer(each));
  if (!visit) return notYet(`Not tried since the restart. Reload ${url}.`);
  if (visit.port === port) {
    return notYet(`${port} is the port of now. Try the one from before the restart: ${url}.`);
  }
  if (lost.includes(visit.port)) {
    return notYet(
      `${typed(visit)} ${ending(visit)}. Something else listens there now, or stands in the way.`,
    );
  }
  return notYet(`Port ${visit.port} was never ${NAME}’s. Try the one from before: ${url}.`);
}

/** Why the page by the container's own address is still missing. */
export async function directPageMissing(
  sandbox: SandboxView,
  address: string,
  via: string | undefined,
  visit: SignalOf<'visit'> | undefined,
): Promise<Verdict> {
  const url = `http://${address}`;
  if (via !== SERVER_ADDRESS) {
    return via === undefined
      ? notYet(`The client knows no way to ${address} yet. Add the route first.`)
      : notYet(`The client sends packets for ${address} to ${via}, not to ${SERVER}.`);
  }
  if (!visit || isToServer(visit)) {
    return notYet(`Not opened yet. In the Browser tab, go to ${url}.`);
  }
  if (visit.hostname === address && visit.port === 80) {
    if (isPage(visit)) return notYet(`That page came by another way. Reload ${url}.`);
    const way = { address, port: WEB };
    const obstacle = await obstacleTo(sandbox.host(SERVER), { name: NAME }, way);
    return obstacle ?? notYet(`${url} ${ending(visit)}. Go there again.`);
  }
  return notDirect(sandbox, address, visit);
}

/** Where a visit went that was meant for the container's own address, and did not go to its web server there. */
export async function notDirect(
  sandbox: SandboxView,
  address: string,
  visit: SignalOf<'visit'>,
): Promise<Verdict> {
  const url = `http://${address}`;
  if (visit.hostname === address) {
    return notYet(
      `Port ${visit.port} is ${SERVER}’s. The container itself listens on 80: go to ${url}.`,
    );
  }
  if (visit.hostname === (await sandbox.host(SERVER).addressOf('docker0'))) {
    return notYet(`${visit.hostname} is docker0 itself. ${NAME} has ${address}: go to ${url}.`);
  }
  const wasItsOwn = sandbox.journal
    .all('visit')
    .some((each) => isPage(each) && each.hostname === visit.hostname && each.seq < visit.seq);
  if (wasItsOwn && isWithin(visit.hostname, await bridgeSubnet(sandbox))) {
    return notYet(
      `${visit.hostname} is no longer ${NAME}’s address: while it was stopped, another container took it. Open ${url}.`,
    );
  }
  return notYet(`${typed(visit)} is not ${NAME}. Go to ${url}.`);
}
