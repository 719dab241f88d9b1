import { z } from 'zod';
import { QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';

const MEMBERSHIP = z.object({
  Swarm: z
    .object({ NodeID: z.string().catch(''), ControlAvailable: z.boolean().catch(false) })
    .catch({ NodeID: '', ControlAvailable: false }),
});

const NODES = z.array(
  z.object({
    ID: z.string(),
    Description: z.object({ Hostname: z.string().catch('') }),
    Spec: z.object({
      Labels: z.record(z.string(), z.string()).catch({}),
      Availability: z.string().catch('active'),
    }),
    Status: z.object({ State: z.string() }),
  }),
);

/** A machine of the Swarm, as its managers know it. */
export type SwarmNode = z.output<typeof NODES>[number];

const TASKS = z.array(
  z.object({
    NodeID: z.string().catch(''),
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

/** Puts a label on a machine, unless it has it. */
export async function labelNode(
  engine: Engine,
  node: string,
  label: string,
  value: string,
): Promise<void> {
  const object = engine.docker.getNode(node);
  const { Version, Spec } = await object.inspect();
  if (Spec.Labels?.[label] === value) return;
  const Labels = { ...Spec.Labels, [label]: value };
  await object.update({ version: Version.Index, ...Spec, Labels });
}

function abortable(signal: AbortSignal | undefined) {
  return signal ? { abortSignal: signal } : {};
}
