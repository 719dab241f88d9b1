import { LABEL } from '../../server/sandbox/labels.ts';
import { shellsIn } from '../fixtures/memory-terminals.ts';
import type { Participant } from './participant.ts';
import { RULES } from './rules.ts';
import type { World } from './world.ts';

/** A page that is closed for so long has lost its place in the queue (ADR 0014: a minute). */
const PLACE_KEPT_MS = 60_000;

/** No request to an engine takes longer than this. */
const LONGEST_WAIT_MS = 3 * 60_000;

/** What holds after every step. */
export function lookAtStep(world: World, participants: readonly Participant[]): void {
  const { life, plan, sandboxes, takingRoom } = world;
  if (takingRoom.size > plan.sandboxesMost) {
    world.violate(RULES.limit, `${[...takingRoom].join(', ')} of ${plan.sandboxesMost}`);
  }
  if (!life?.isOpen) return;
  const owned = life.sessions.capacity.owners();
  for (const sandbox of sandboxes) {
    if (owned.has(sandbox) || world.inherited.has(sandbox)) continue;
    world.violate(RULES.hasAnOwner, `${sandbox} is nobody’s`);
  }
  if (life.store.unwritten === 0) for (const participant of participants) participant.allIsKept();
  const owners = new Map<string, string>();
  for (const { session, name, lab } of participants) {
    const sandbox = session?.sandbox;
    if (sandbox === undefined) continue;
    const other = owners.get(sandbox);
    if (other !== undefined)
      world.violate(RULES.oneOwner, `${sandbox} is ${other}’s and ${name}/${lab}’s`);
    owners.set(sandbox, `${name}/${lab}`);
  }
  for (const participant of participants) {
    const { given, session, name, lab } = participant;
    if (given === undefined || !session || session.sandbox === given || participant.mayGo(given))
      continue;
    world.violate(
      RULES.keepsItsSandbox,
      `${name}/${lab} was let into ${given} and has ${session.sandbox ?? 'none'} (${session.status.state})`,
    );
  }
}

/** What holds once nothing has gone wrong for long. */
export function lookAtRest(world: World, participants: readonly Participant[]): void {
  const { life, machine } = world;
  if (!life?.isOpen) {
    world.violate(RULES.serverStarts, 'none is up');
    return;
  }
  const owned = new Set<string>();
  for (const participant of participants) {
    const sandbox = lookAtParticipant(world, participant);
    if (sandbox !== undefined) owned.add(sandbox);
  }
  const { warm } = life.sessions.capacity.counts();
  const others = sandboxesOnEngine(world).filter((sandbox) => !owned.has(sandbox));
  if (others.length !== warm) {
    const whose = `${others.join(', ')} are no session’s; ${warm} are the pool’s`;
    world.violate(RULES.hasAnOwner, whose);
  }
  const stuck = machine.underWay(LONGEST_WAIT_MS);
  if (stuck.length > 0) world.violate(RULES.asksNothingForEver, stuck.join('; '));
}

/** @returns the sandbox that the session has and shows */
function lookAtParticipant(world: World, participant: Participant): string | undefined {
  const { session, name, lab, closedAt } = participant;
  if (!session) return undefined;
  const { status, sandbox } = session;
  const who = `${name}/${lab}`;
  switch (status.state) {
    case 'starting':
      world.violate(RULES.startEnds, `${who} is starting`);
      break;
    case 'queued':
      if (takingRoom(world) < world.plan.sandboxesMost) {
        world.violate(RULES.queueMoves, `${who} is queued`);
      }
      if (closedAt !== undefined && world.clock.now - closedAt > PLACE_KEPT_MS) {
        world.violate(RULES.givesUpItsPlace, `${who} has no page open`);
      }
      // It comes back to hosts that are stopped.
      if (sandbox !== undefined) return lookAtStopped(world, who, sandbox);
      break;
    case 'stopped':
      participant.look();
      return lookAtStopped(world, who, sandbox);
    case 'ready': {
      if (sandbox === undefined) {
        world.violate(RULES.readyHasHosts, who);
        return undefined;
      }
      const shown = status.hosts.map((host) => `${host.name} ${host.phase}`);
      lookAtHosts(world, who, sandbox, shown);
      lookAtTerminals(world, participant, sandbox);
      participant.look();
      return sandbox;
    }
  }
  if (sandbox !== undefined) {
    world.violate(RULES.letsGo, `${who} is ${status.state} with ${sandbox}`);
  }
  return undefined;
}

/** How many sandboxes there are, but for those that are stopped and kept. */
function takingRoom(world: World): number {
  const owners = world.open?.sessions.capacity.owners();
  return sandboxesOnEngine(world).filter((id) => owners?.get(id) !== 'kept').length;
}

/** @returns the sandbox, of which nothing runs */
function lookAtStopped(world: World, who: string, sandbox: string | undefined): string | undefined {
  const running = [...world.machine.containers.values()].filter(
    ({ labels, pid }) => labels[LABEL.sandbox] === sandbox && pid > 0,
  );
  if (sandbox === undefined || running.length > 0) {
    const what = running.map(({ name }) => name).join(', ') || 'it has none';
    world.violate(RULES.staysStopped, `${who}: ${what}`);
  }
  return sandbox;
}

/** Every sandbox of which anything is left, strays and disks included. */
export function sandboxesOnEngine({ machine }: World): readonly string[] {
  const labels = [...machine.containers.values(), ...machine.volumes.values()].map(
    (each) => each.labels,
  );
  return [...new Set(labels.flatMap((each) => each[LABEL.sandbox] ?? []))];
}

function lookAtHosts(world: World, who: string, sandbox: string, shown: readonly string[]): void {
  const { machine } = world;
  const containers = [...machine.containers.values()].filter(
    ({ labels }) => labels[LABEL.sandbox] === sandbox,
  );
  const theSwitch = containers.find(({ labels }) => labels[LABEL.role] === 'switch');
  for (const name of ['server01', 'client']) {
    const host = containers.find(({ labels }) => labels[LABEL.host] === name);
    if (host?.state !== 'running' || !theSwitch || host.linkedTo !== theSwitch.pid) {
      world.violate(
        RULES.hostsAreRepaired,
        `${who}: ${name} is ${host?.state} and hangs on ${host?.linkedTo} of ${theSwitch?.pid}`,
      );
    }
    if (!shown.includes(`${name} ready`)) {
      world.violate(RULES.hostsAreShown, `${who}: ${shown.join(', ')}`);
    }
  }
}

/** A terminal that the learner has seen, and whose shell lives, is still there. */
function lookAtTerminals(
  world: World,
  { session, terminals, name }: Participant,
  sandbox: string,
): void {
  const shown = session?.snapshot().terminals.map(({ id }) => id) ?? [];
  for (const [id, host] of terminals) {
    const lives = [...world.machine.containers.values()].some(
      (container) =>
        container.labels[LABEL.sandbox] === sandbox &&
        container.labels[LABEL.host] === host &&
        shellsIn(container).includes(id),
    );
    if (lives && !shown.includes(id))
      world.violate(RULES.keepsItsTerminals, `${name}: ${id} on ${host}`);
  }
}
