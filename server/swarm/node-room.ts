import type { NodeState, PlacementNode } from '../sandbox/runtime.ts';
import { nodeName, type SwarmNode, type SwarmTask } from './swarm-api.ts';

/** A Swarm counts processors in parts of this. */
export const NANOS = 1e9;

/** What a Swarm keeps free on a machine for each sandbox. */
export interface Reservation {
  readonly memoryBytes: number;
  readonly processors: number;
}

/**
 * How each node is, and how many more sandboxes a Swarm would put there: a node's resources without what all tasks that are
 * to run there have reserved, whosever they are.
 *
 * @param isPrepared whether sandboxes can be made on a node
 */
export function nodesWithRoom(
  nodes: readonly SwarmNode[],
  tasks: readonly SwarmTask[],
  reservation: Reservation,
  isPrepared: (node: string) => boolean,
): readonly PlacementNode[] {
  return nodes.map((node) => {
    const { ID: id, Description } = node;
    const state = stateOf(node, isPrepared);
    const isOut = state === 'drained' || state === 'lost';
    return {
      id,
      name: nodeName(id, Description.Hostname),
      state,
      room: isOut ? 0 : roomOn(node, tasks, reservation),
    };
  });
}

function stateOf(
  { ID, Spec, Status }: SwarmNode,
  isPrepared: (node: string) => boolean,
): NodeState {
  // Before all else: whoever has taken it out of service may switch it off. A paused one gets no sandboxes either.
  if (Spec.Availability !== 'active') return 'drained';
  if (Status.State !== 'ready') return 'lost';
  return isPrepared(ID) ? 'ready' : 'preparing';
}

function roomOn(
  { ID, Description: { Resources } }: SwarmNode,
  tasks: readonly SwarmTask[],
  { memoryBytes, processors }: Reservation,
): number {
  const reserved = tasks
    .filter(({ NodeID }) => NodeID === ID)
    .map(({ Spec }) => Spec.Resources.Reservations);
  const memory = reserved.reduce((left, each) => left - each.MemoryBytes, Resources.MemoryBytes);
  const nanos = reserved.reduce((left, each) => left - each.NanoCPUs, Resources.NanoCPUs);
  const room = Math.min(memory / memoryBytes, nanos / (processors * NANOS));
  return Math.max(0, Math.floor(room));
}
