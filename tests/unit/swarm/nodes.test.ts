import { expect, test } from 'vitest';
import type { Engine } from '../../../server/engine/engine.ts';
import type { SandboxRuntime } from '../../../server/sandbox/runtime.ts';
import type { NodeRuntimes } from '../../../server/swarm/node-runtimes.ts';
import { SwarmPlacement } from '../../../server/swarm/swarm-placement.ts';

const MIB = 1024 ** 2;
const NEVER = new AbortController().signal;
const RESERVATION = { memoryBytes: 100 * MIB, processors: 0.1 };
const OUT_OF_SEQUENCE = 'rpc error: code = Unknown desc = update out of sequence';

interface Node {
  readonly ID: string;
  readonly Description: { readonly Hostname: string; readonly Resources?: object };
  Spec: { readonly Labels: Record<string, string>; readonly Availability: string };
  readonly Status: { readonly State: string };
}

function node(ID: string, changes: Partial<Omit<Node, 'ID'>> = {}): Node {
  return {
    ID,
    // Room for ten by memory, and for twenty by processors.
    Description: {
      Hostname: 'lab',
      Resources: { MemoryBytes: 1_000 * MIB, NanoCPUs: 2e9 },
    },
    Spec: { Labels: { quayside: 'true' }, Availability: 'active' },
    Status: { State: 'ready' },
    ...changes,
  };
}

/** Tasks on a node that have reserved so much each. */
function tasks(NodeID: string, count: number, Reservations?: object): readonly object[] {
  const Spec = Reservations ? { Resources: { Reservations } } : {};
  const one = { NodeID, Spec, DesiredState: 'running', Status: { State: 'running' } };
  return Array.from({ length: count }, () => one);
}

/** A Swarm of these nodes, each with its images but `prepares`. The first updates of a node come too late, if wished. */
function swarmOf(nodes: readonly Node[], running: readonly object[] = [], tooLate = 0) {
  const asked: string[] = [];
  let late = tooLate;
  let version = 1;
  const docker = {
    listNodes: async () => nodes,
    listTasks: async ({ filters }: { readonly filters: object }) => {
      asked.push(JSON.stringify(filters));
      return running;
    },
    getNode: (id: string) => {
      const found = nodes.find(({ ID }) => ID === id) as Node;
      return {
        inspect: async () => ({ Version: { Index: version }, Spec: found.Spec }),
        update: async ({ version: of, ...spec }: Node['Spec'] & { readonly version: number }) => {
          if (late > 0) {
            late -= 1;
            version += 1;
          }
          if (of !== version) throw new Error(OUT_OF_SEQUENCE);
          version += 1;
          found.Spec = spec;
        },
      };
    },
  };
  const own = { engine: { docker } as unknown as Engine } as SandboxRuntime;
  const of = (id: string) => (id === 'prepares' ? undefined : {});
  const placement = new SwarmPlacement({
    ...{ own, image: 'sha256:1', instance: 'i', reservation: RESERVATION },
    nodes: { of } as unknown as NodeRuntimes,
  });
  return { placement, asked };
}

async function roomOf(one: Node, running: readonly object[] = []): Promise<number | undefined> {
  return (await swarmOf([one], running).placement.nodes(NEVER))[0]?.room;
}

test('room is what memory or processors are left for, whichever is less', async () => {
  expect(await roomOf(node('n1'))).toBe(10);
  const sandboxes = tasks('n1', 3, { MemoryBytes: 100 * MIB, NanoCPUs: 1e8 });
  expect(await roomOf(node('n1'), sandboxes)).toBe(7);
  expect(await roomOf(node('n1'), tasks('n1', 1, { NanoCPUs: 1.85e9 }))).toBe(1);
});

test('tasks that reserve nothing, or are elsewhere, take no room', async () => {
  const running = [
    ...tasks('n1', 5),
    ...tasks('n2', 5, { MemoryBytes: 100 * MIB }),
    ...tasks('', 5, { MemoryBytes: 100 * MIB }),
  ];
  expect(await roomOf(node('n1'), running)).toBe(10);
});

test('room is never below none, and none where nothing is known of the node', async () => {
  expect(await roomOf(node('n1'), tasks('n1', 2, { MemoryBytes: 900 * MIB }))).toBe(0);
  expect(await roomOf(node('n1', { Description: { Hostname: 'lab' } }))).toBe(0);
});

test('a node is ready, gets its images, is out of service or is lost; only the first two have room', async () => {
  const drained = { Labels: { quayside: 'true' }, Availability: 'drain' };
  const { placement, asked } = swarmOf([
    node('abcdefghijkl'),
    node('prepares'),
    node('drained', { Spec: drained }),
    node('paused', { Spec: { ...drained, Availability: 'pause' } }),
    node('lost', { Status: { State: 'down' } }),
    node('off', { Spec: drained, Status: { State: 'down' } }),
    node('no-label', { Spec: { Labels: {}, Availability: 'active' } }),
  ]);
  expect(await placement.nodes(NEVER)).toEqual([
    { id: 'abcdefghijkl', name: 'lab (abcdef)', state: 'ready', room: 10 },
    { id: 'prepares', name: 'lab (prepar)', state: 'preparing', room: 10 },
    { id: 'drained', name: 'lab (draine)', state: 'drained', room: 0 },
    { id: 'paused', name: 'lab (paused)', state: 'drained', room: 0 },
    { id: 'lost', name: 'lab (lost)', state: 'lost', room: 0 },
    { id: 'off', name: 'lab (off)', state: 'drained', room: 0 },
  ]);
  expect(asked).toEqual([JSON.stringify({ 'desired-state': ['running'] })]);
});

test('a node is drained and taken back, and keeps what else is said of it', async () => {
  const one = node('n1', {
    Spec: { Labels: { quayside: 'true', a: 'b' }, Availability: 'active' },
  });
  const { placement } = swarmOf([one]);
  await placement.setInService('n1', false);
  await placement.setInService('n1', false);
  expect(one.Spec).toEqual({ Labels: { quayside: 'true', a: 'b' }, Availability: 'drain' });
  await placement.setInService('n1', true);
  expect(one.Spec.Availability).toBe('active');
});

test('a change that another came before is made on what is there then; not for ever', async () => {
  const one = node('n1');
  await swarmOf([one], [], 2).placement.setInService('n1', false);
  expect(one.Spec.Availability).toBe('drain');
  const busy = swarmOf([node('n1')], [], 99).placement.setInService('n1', false);
  await expect(busy).rejects.toThrow('out of sequence');
});

test('a node that is none, or that sandboxes may not be on, is left as it is', async () => {
  const other = node('n2', { Spec: { Labels: {}, Availability: 'active' } });
  const { placement } = swarmOf([node('n1'), other]);
  for (const id of ['n2', 'n3']) {
    await expect(placement.setInService(id, false)).rejects.toMatchObject({
      code: 'NODE_UNKNOWN',
      remedy: expect.stringContaining('docker node ls'),
    });
  }
  expect(other.Spec.Availability).toBe('active');
});
