import { expect, test } from 'vitest';
import type { Engine } from '../../../server/engine/engine.ts';
import type { Machine, SandboxRuntime } from '../../../server/sandbox/runtime.ts';
import type { NodeRuntimes } from '../../../server/swarm/node-runtimes.ts';
import { RESERVATION, SwarmPlacement } from '../../../server/swarm/swarm-placement.ts';

const LABELS = { instance: 'i', sandbox: 's1', session: 'x' };
const NAME = 'quayside-s1-switch';
const NEVER = new AbortController().signal;
const NO_ROOM = 'no suitable node (insufficient resources on 2 nodes)';
const NO_NODE = 'no suitable node (scheduling constraints not satisfied on 1 node)';

interface Spec {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  Mode: { readonly Replicated: { readonly Replicas: number } };
  TaskTemplate: { readonly Placement: { readonly Constraints: readonly string[] } };
}

interface Task {
  readonly NodeID: string;
  readonly State: string;
  readonly Err?: string;
}

const refusal = (statusCode: number) => Object.assign(new Error(`${statusCode}`), { statusCode });

/** A Swarm of two machines, `n1` and `n2`. What its scheduler decides is what the test says. */
function swarmOf(schedule: (spec: Spec) => readonly Task[]) {
  const services = new Map<string, Spec>();
  const drained = new Set<string>();
  const described = (spec: Spec) => ({ ID: spec.Name, Version: { Index: 1 }, Spec: spec });
  const docker = {
    createService: async (spec: Spec) => {
      if (services.has(spec.Name)) throw refusal(409);
      services.set(spec.Name, spec);
    },
    getService: (name: string) => ({
      inspect: async () => {
        const spec = services.get(name);
        if (!spec) throw refusal(404);
        return described(spec);
      },
      update: async ({ version: _, ...spec }: Spec & { readonly version: number }) => {
        services.set(name, spec);
      },
      remove: async () => {
        if (!services.delete(name)) throw refusal(404);
      },
    }),
    listServices: async () => [...services.values()].map(described),
    listTasks: async ({
      filters,
    }: {
      readonly filters: { readonly service: readonly string[] };
    }) => {
      const spec = services.get(filters.service[0] ?? '');
      if (!spec) throw refusal(404);
      if (spec.Mode.Replicated.Replicas === 0) return [];
      return schedule(spec).map(({ NodeID, State, Err }) => ({
        NodeID,
        DesiredState: 'running',
        Status: { State, Err, ContainerStatus: { ContainerID: `switch-on-${NodeID}` } },
      }));
    },
    listNodes: async () =>
      ['n1', 'n2'].map((ID) => ({
        ID,
        Description: { Hostname: ID },
        Spec: {
          Labels: { quayside: 'true' },
          Availability: drained.has(ID) ? 'drain' : 'active',
        },
        Status: { State: 'ready' },
      })),
  };
  const own = { engine: { docker } as unknown as Engine } as SandboxRuntime;
  const machine = (name: string): Machine => ({ name, runtime: own, lost: NEVER });
  const nodes = {
    imagesLabel: 'quayside-images-1',
    of: (id: string) => (['n1', 'n2'].includes(id) ? machine(id) : undefined),
  } as unknown as NodeRuntimes;
  const options = { own, nodes, image: 'sha256:1', instance: 'i', reservation: RESERVATION };
  return { placement: new SwarmPlacement(options), services, drained };
}

const constraintsOf = (spec: Spec | undefined) => spec?.TaskTemplate.Placement.Constraints ?? [];
const QUIET = () => undefined;
const on = (node: string) => [{ NodeID: node, State: 'running' }];

test('a sandbox is one service, and is where its task runs', async () => {
  const { placement, services } = swarmOf(() => on('n2'));
  const place = await placement.place(LABELS, QUIET, NEVER);
  expect(place).toMatchObject({ name: 'n2', switch: 'switch-on-n2' });
  expect([...services.keys()]).toEqual([NAME]);
  expect(services.get(NAME)).toMatchObject({
    Labels: { 'quayside.sandbox': 's1' },
    Mode: { Replicated: { Replicas: 1 } },
    TaskTemplate: {
      Resources: { Reservations: { MemoryBytes: RESERVATION.memoryBytes } },
      Placement: {
        Constraints: ['node.labels.quayside==true', 'node.labels.quayside-images-1==true'],
      },
    },
  });
  expect(await placement.place(LABELS, QUIET, NEVER)).toMatchObject({ name: 'n2' });
});

test('whoever waits for room is told so, and nobody else is let in meanwhile', async () => {
  let tasks: readonly Task[] = [{ NodeID: '', State: 'pending', Err: NO_ROOM }];
  const { placement } = swarmOf(() => tasks);
  const told = Promise.withResolvers<string>();
  const placed = placement.place(LABELS, told.resolve, NEVER);
  expect(await told.promise).toBe('waiting until a machine has room');
  expect(placement.hasRoom()).toBe(false);
  tasks = on('n1');
  expect(await placed).toMatchObject({ name: 'n1' });
  expect(placement.hasRoom()).toBe(true);
});

test('while the Swarm has no leader a sandbox waits, says so, and has its machine afterwards', async () => {
  const { placement } = swarmOf(() => {
    if (hasLeader) return on('n1');
    throw new Error('rpc error: code = Unknown desc = The swarm does not have a leader.');
  });
  let hasLeader = false;
  const told = Promise.withResolvers<string>();
  const placed = placement.place(LABELS, told.resolve, NEVER);
  expect(await told.promise).toBe('waiting until the Swarm has a leader');
  hasLeader = true;
  expect(await placed).toMatchObject({ name: 'n1' });
});

test('what else an engine refuses is said', async () => {
  const { placement } = swarmOf(() => {
    throw new Error('no such image');
  });
  await expect(placement.place(LABELS, QUIET, NEVER)).rejects.toThrow('no such image');
});

test('whoever gives up waiting keeps nobody out', async () => {
  const { placement } = swarmOf(() => [{ NodeID: '', State: 'pending', Err: NO_ROOM }]);
  const stop = new AbortController();
  const placed = placement.place(LABELS, () => stop.abort(new Error('ended')), stop.signal);
  await expect(placed).rejects.toThrow('ended');
  expect(placement.hasRoom()).toBe(true);
});

test('a stopped sandbox keeps its machine and no room, and is there again when it is started', async () => {
  const { placement, services } = swarmOf(() => on('n1'));
  await placement.place(LABELS, QUIET, NEVER);
  await placement.suspend('s1', NEVER);
  expect(services.get(NAME)?.Mode.Replicated.Replicas).toBe(0);
  expect(constraintsOf(services.get(NAME))).toContain('node.id==n1');
  expect(await placement.place(LABELS, QUIET, NEVER)).toMatchObject({ name: 'n1' });
  expect(services.get(NAME)?.Mode.Replicated.Replicas).toBe(1);
});

test('a stopped sandbox whose machine is taken out of service meanwhile goes to another', async () => {
  const { placement, services, drained } = swarmOf((spec) =>
    constraintsOf(spec).includes('node.id==n1') && drained.has('n1')
      ? [{ NodeID: '', State: 'pending', Err: NO_NODE }]
      : on(drained.has('n1') ? 'n2' : 'n1'),
  );
  await placement.place(LABELS, QUIET, NEVER);
  await placement.suspend('s1', NEVER);
  drained.add('n1');
  expect(await placement.place(LABELS, QUIET, NEVER)).toMatchObject({ name: 'n2' });
  expect(constraintsOf(services.get(NAME)).join()).not.toContain('node.id');
});

test('one whose machine is full waits for it, and others are let in elsewhere', async () => {
  let isFull = false;
  const { placement } = swarmOf((spec) =>
    isFull && constraintsOf(spec).includes('node.id==n1')
      ? [{ NodeID: '', State: 'pending', Err: NO_ROOM }]
      : on('n1'),
  );
  await placement.place(LABELS, QUIET, NEVER);
  await placement.suspend('s1', NEVER);
  isFull = true;
  const told = Promise.withResolvers<string>();
  const placed = placement.place(LABELS, told.resolve, NEVER);
  expect(await told.promise).toBe('waiting until the machine with its disk has room');
  expect(placement.hasRoom()).toBe(true);
  isFull = false;
  expect(await placed).toMatchObject({ name: 'n1' });
});

test('a sandbox that is removed leaves no service, and may be removed twice', async () => {
  const { placement, services } = swarmOf(() => on('n1'));
  await placement.place(LABELS, QUIET, NEVER);
  expect(await placement.sandboxes()).toEqual(['s1']);
  await placement.release('s1');
  await placement.release('s1');
  expect(services.size).toBe(0);
});
