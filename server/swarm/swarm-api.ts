import { z } from 'zod';
import { QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';

/** Each takes some milliseconds; two that change the same at once cannot go on for long. */
const ATTEMPTS = 5;

/** What a manager answers that knows no leader, or that has one which is just lost (the codes are gRPC's). */
const LEADERLESS = ['does not have a leader', 'code = Unavailable', 'code = DeadlineExceeded'];

const MEMBERSHIP = z.object({
  Swarm: z
    .object({ NodeID: z.string().catch(''), ControlAvailable: z.boolean().catch(false) })
    .catch({ NodeID: '', ControlAvailable: false }),
});

/** Memory and processors, each absent where there is none of it. */
const RESOURCES = z
  .object({ MemoryBytes: z.number().catch(0), NanoCPUs: z.number().catch(0) })
  .catch({ MemoryBytes: 0, NanoCPUs: 0 });

const NODES = z.array(
  z.object({
    ID: z.string(),
    Description: z.object({ Hostname: z.string().catch(''), Resources: RESOURCES }),
    Spec: z.object({
      Labels: z.record(z.string(), z.string()).catch({}),
      Availability: z.string().catch('active'),
    }),
    Status: z.object({ State: z.string() }),
  }),
);

const NODE = z.object({
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({
    Labels: z.record(z.string(), z.string()).nullish(),
    Availability: z.string().optional(),
  }),
});

/** What a machine is to be; what is not named here is passed on as it is. */
type NodeSpec = z.output<typeof NODE>['Spec'];

/** A machine of the Swarm, as its managers know it. */
export type SwarmNode = z.output<typeof NODES>[number];

const NOTHING_RESERVED = { Reservations: { MemoryBytes: 0, NanoCPUs: 0 } };

const TASKS = z.array(
  z.object({
    NodeID: z.string().catch(''),
    Spec: z
      .object({ Resources: z.object({ Reservations: RESOURCES }).catch(NOTHING_RESERVED) })
      .catch({ Resources: NOTHING_RESERVED }),
    DesiredState: z.string(),
    Status: z.object({
      State: z.string(),
      Err: z.string().catch(''),
      ContainerStatus: z.object({ ContainerID: z.string().catch('') }).optional(),
    }),
    NetworksAttachments: z.array(z.object({ Addresses: z.array(z.string()).nullish() })).nullish(),
  }),
);

/** A task of a service: where it is, and how far it has come. */
export type SwarmTask = z.output<typeof TASKS>[number];

/**
 * The number in its Swarm of the machine that an engine runs on.
 *
 * @throws QuaysideError SWARM_UNFIT where it manages none
 */
export async function managerNode(engine: Engine): Promise<string> {
  const { Swarm } = MEMBERSHIP.parse(await engine.docker.info());
  if (Swarm.ControlAvailable) return Swarm.NodeID;
  throw new QuaysideError(
    'SWARM_UNFIT',
    `The Docker Engine at ${engine.address} is not a manager of a Swarm.`,
    Swarm.NodeID === '' ? 'Make it one: docker swarm init' : 'Start the server on a manager node.',
  );
}

/** @throws the signal's reason; whatever the engine said */
export async function nodesOf(engine: Engine, signal?: AbortSignal): Promise<readonly SwarmNode[]> {
  return NODES.parse(await engine.docker.listNodes({ ...abortable(signal) }));
}

/** The tasks of a service, or none where there is no such service. @param wished also those that are to end, if false */
export async function tasksOf(
  engine: Engine,
  service: string,
  wished: boolean,
  signal?: AbortSignal,
): Promise<readonly SwarmTask[]> {
  const filters = { service: [service], ...(wished && { 'desired-state': ['running'] }) };
  try {
    return TASKS.parse(await engine.docker.listTasks({ filters, ...abortable(signal) }));
  } catch (error) {
    if ((error as { readonly statusCode?: number }).statusCode === 404) return [];
    throw error;
  }
}

/** The tasks of all services that are to run, on whatever node. @throws the signal's reason; whatever the engine said */
export async function runningTasks(
  engine: Engine,
  signal: AbortSignal,
): Promise<readonly SwarmTask[]> {
  const filters = { 'desired-state': ['running'] };
  return TASKS.parse(await engine.docker.listTasks({ filters, ...abortable(signal) }));
}

/** Puts a label on a machine, unless it has it. */
export async function labelNode(
  engine: Engine,
  node: string,
  label: string,
  value: string,
): Promise<void> {
  await changeNode(engine, node, ({ Labels }) =>
    Labels?.[label] === value ? undefined : { Labels: { ...Labels, [label]: value } },
  );
}

/** Lets a machine have tasks, or takes all that it has away from it. */
export async function setAvailability(
  engine: Engine,
  node: string,
  availability: 'active' | 'drain',
): Promise<void> {
  await changeNode(engine, node, ({ Availability }) =>
    Availability === availability ? undefined : { Availability: availability },
  );
}

/**
 * Whether a Swarm decides nothing at the moment: its managers choose a leader, which takes seconds, or most of them are away.
 * What was asked may be asked again.
 */
export function isLeaderless(error: unknown): boolean {
  const said = String(error);
  return LEADERLESS.some((words) => said.includes(words));
}

/**
 * Makes a change of what a Swarm keeps, and makes it anew on what is there then where another has come before it.
 *
 * @param change looks at what there is, and changes that version of it
 * @throws whatever the engine said
 */
export async function inSequence(change: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      // "update out of sequence": somebody else has changed it in between.
      if (attempt === ATTEMPTS || !String(error).includes('out of sequence')) throw error;
    }
  }
}

/** What a machine is called, for the operator: several may have the same host name. */
export function nodeName(node: string, hostname: string): string {
  return `${hostname} (${node.slice(0, 6)})`;
}

/** @param change what is to be otherwise; `undefined` leaves it as it is */
async function changeNode(
  engine: Engine,
  node: string,
  change: (spec: NodeSpec) => Partial<NodeSpec> | undefined,
): Promise<void> {
  await inSequence(async () => {
    const object = engine.docker.getNode(node);
    const { Version, Spec } = NODE.parse(await object.inspect());
    const changed = change(Spec);
    if (changed) await object.update({ version: Version.Index, ...Spec, ...changed });
  });
}

function abortable(signal: AbortSignal | undefined) {
  return signal ? { abortSignal: signal } : {};
}
