import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeView } from '#protocol';
import type { StageNode } from '../../machines/swarm-stage.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { destroySandbox, liveSandboxes } from '../../server/sandbox/removal.ts';
import { removeSwarm } from '../../server/swarm/swarm.ts';
import { tasksOf } from '../../server/swarm/swarm-api.ts';
import { RESERVATION } from '../../server/swarm/swarm-placement.ts';
import { engineContract } from '../contract/engine-contract.ts';
import { PROJECT, started, type TestApp, type TestLearner, until } from './stage.ts';
import {
  IMAGE,
  IMAGES_MS,
  LAB,
  MOVE_MS,
  openSwarmWorld,
  passes,
  ROUTE,
  ROUTED,
  reached,
  STEPS,
  type SwarmWorld,
  sandboxesOn,
  Whereabouts,
} from './swarm-world.ts';

/** A few seconds: no test waits for the least that an operator can say. */
const IDLE_MINUTES = 0.1;
/** One on each machine. */
const LEARNERS = 3;

let world: SwarmWorld;
let app: TestApp;
let where: Whereabouts;
let learners: readonly TestLearner[];

/** How the server sees a machine, which its operator has taken out of service or back into it. */
async function setInService(node: StageNode, isInService: boolean): Promise<string | undefined> {
  const { placement } = app.runtime;
  await placement?.setInService(node.id, isInService);
  const nodes = await placement?.nodes(new AbortController().signal);
  return nodes?.find(({ id }) => id === node.id)?.state;
}

beforeAll(async () => {
  world = await openSwarmWorld(LEARNERS);
  app = await world.serve();
  where = new Whereabouts(world.nodes, app);
}, IMAGES_MS);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, IMAGES_MS);

test(
  'learners are on all nodes',
  async () => {
    learners = Array.from({ length: LEARNERS }, () => app.newLearner(LAB));
    await Promise.all(learners.map(({ session }) => started(session)));
    const nodes = await Promise.all(learners.map((each) => where.nodeOf(each)));
    expect(new Set(nodes).size).toBe(LEARNERS);
    expect(Object.values(app.sessions.figures().nodes ?? {})).toEqual(learners.map(() => 1));
    const told = Promise.withResolvers<readonly NodeView[]>();
    using _ = app.sessions.nodeWatch?.subscribe(told.resolve);
    for (const node of await told.promise) {
      expect(node).toMatchObject({ state: 'ready', learners: 1 });
      expect(node.room).toBeGreaterThan(0);
      // Of the room for so many, one learner has some.
      expect(node.room).toBeLessThan(app.runtime.processors / RESERVATION.processors);
    }
  },
  MOVE_MS,
);

test('the engine of a host wakes on each node, with what the lab gives it', async () => {
  const ask = ['docker', 'images', '--format', '{{.Repository}}:{{.Tag}}'];
  const said = await Promise.all(learners.map((each) => where.said(each, 'other', ask)));
  expect(said.map((each) => each.trim())).toEqual(learners.map(() => IMAGE));
});

test('no port of any node is open, and no service publishes one', async () => {
  const services = await world.first.engine.docker.listServices();
  const ports = services.map(
    (each) => (each as { Endpoint?: { Ports?: unknown } }).Endpoint?.Ports,
  );
  expect(ports.filter((each) => each !== undefined)).toEqual([]);
});

test(
  'an entrance that is killed is there again, and leads to every node',
  async () => {
    const { docker } = world.first.engine;
    const filters = { label: ['com.docker.swarm.service.name=quayside_entrance'] };
    const [entrance] = await docker.listContainers({ filters });
    await docker.getContainer(entrance?.Id ?? '').kill();
    const another = async () => (await docker.listContainers({ filters })).map(({ Id }) => Id);
    await expect.poll(another, { timeout: MOVE_MS }).not.toEqual([]);
    expect(await another()).not.toContain(entrance?.Id);
    const away = async () => {
      const machines = app.runtime.placement?.machines() ?? [];
      return Promise.all(machines.map(({ runtime }) => runtime.engine.isAway()));
    };
    await expect.poll(away, { timeout: MOVE_MS }).toEqual(learners.map(() => false));
  },
  2 * MOVE_MS,
);

test(
  'a learner for whom no node has room reads it, and starts when one has',
  async () => {
    // Somebody else's service leaves half of what a sandbox reserves, beside the one that is there.
    const { docker } = world.first.engine;
    const { Id: Image } = await docker.getImage(app.runtime.hostImage).inspect();
    const NanoCPUs = (app.runtime.processors - 1.5 * RESERVATION.processors) * 1e9;
    const others = await docker.createService({
      Name: 'others',
      TaskTemplate: {
        ContainerSpec: { Image, Command: ['tini', '--', 'sleep', 'infinity'] },
        Resources: { Reservations: { NanoCPUs } },
      },
      Mode: { Global: {} },
    } as never);
    const taken = async () => {
      const tasks = await tasksOf(world.first.engine, 'others', true);
      return tasks.filter(({ Status }) => Status.State === 'running');
    };
    await expect.poll(taken, { timeout: MOVE_MS }).toHaveLength(world.nodes.length);
    const late = app.newLearner(LAB);
    late.session.start();
    await until(late.session, 'the hosts to wait for room', ({ status }) => {
      const details = status.state === 'starting' ? status.hosts.map(({ detail }) => detail) : [];
      return details.includes('waiting until a machine has room');
    });
    await docker.getService(others.id).remove();
    await started(late.session);
    await late.session.end('enough');
    expect(await app.live()).toHaveLength(LEARNERS);
  },
  MOVE_MS,
);

test(
  'a drained node’s sandbox moves, what was passed is done again, and nothing stays there',
  async () => {
    const [, second] = world.nodes;
    if (!second) throw new Error('no second node');
    const one = await where.learnerOn(second, learners);
    one.session.doStep(ROUTE);
    await until(one.session, 'the check to pass', ({ checks }) => checks[0]?.state === 'passed');
    expect(await setInService(second, false)).toBe('drained');
    await where.moved(one, second);
    await expect
      .poll(() => where.said(one, 'client', ['ip', 'route']), { timeout: MOVE_MS })
      .toContain(ROUTED);
    await expect.poll(() => sandboxesOn(second), { timeout: MOVE_MS }).toEqual([]);
    // Whom the next test takes may be the one who has moved.
    await until(one.session, 'the guide to be done', ({ guide }) => guide.state !== 'working');
    // Its relay has ended with it, and another begins: who took the machine in between would hold one that is lost.
    await reached(app, LEARNERS - 1);
    expect(await setInService(second, true)).not.toBe('drained');
    await reached(app, LEARNERS);
  },
  2 * MOVE_MS,
);

test(
  'a node that is lost in the middle of a step: the sandbox is made anew elsewhere',
  async () => {
    const third = world.nodes[2];
    if (!third) throw new Error('no third node');
    const one = await where.learnerOn(third, learners);
    const [step] = STEPS;
    if (!step) throw new Error('no step');
    one.session.doStep(ROUTE);
    third.cut();
    try {
      await where.moved(one, third);
      await passes(one, step);
    } finally {
      third.mend();
    }
    await reached(app, LEARNERS);
  },
  2 * MOVE_MS,
);

describe('the engine of another node, as the relay leads to it', () => {
  engineContract(async () => {
    const others = app.runtime.placement
      ?.machines()
      .map((each) => each.runtime)
      .filter((each) => each.engine !== app.runtime.engine);
    const [runtime] = others ?? [];
    if (!runtime) throw new Error('no other node');
    const instance = 'quayside-contract';
    return {
      runtime,
      instance,
      [Symbol.asyncDispose]: async () => {
        for (const id of await liveSandboxes(runtime, instance)) await destroySandbox(runtime, id);
      },
    };
  });
});

test(
  'what a lost node has of before is gone once it is back',
  async () => {
    const [, , third] = world.nodes;
    if (!third) throw new Error('no third node');
    await expect.poll(() => sandboxesOn(third), { timeout: MOVE_MS }).toEqual([]);
  },
  MOVE_MS,
);

test(
  'a limit stops hosts on their nodes and frees their room; the next server brings them back there',
  async () => {
    const before = new Map(await Promise.all(learners.map((each) => where.of(each))));
    await app.close({ clean: false });
    app = await world.serve({ data: app.data, idleMinutes: IDLE_MINUTES });
    where = new Whereabouts(world.nodes, app);
    learners = learners.map(({ id }) => ({ id, session: app.sessions.of(id, LAB) }));
    for (const { session } of learners) {
      await until(
        session,
        'the limit to stop the hosts',
        ({ status }) => status.state === 'stopped',
      );
    }
    const running = async () =>
      (await Promise.all(world.nodes.map((each) => sandboxesOn(each, false)))).flat();
    await expect.poll(running, { timeout: MOVE_MS }).toEqual([]);
    const tasks = async () => {
      const services = await world.first.engine.docker.listServices({
        filters: { label: [LABEL.sandbox] },
      });
      const each = services.map(({ ID = '' }) => tasksOf(app.runtime.engine, ID, true));
      return (await Promise.all(each)).flat();
    };
    expect(await tasks()).toEqual([]);
    for (const { session } of learners) {
      await started(session);
      session.touch();
    }
    expect(new Map(await Promise.all(learners.map((each) => where.of(each))))).toEqual(before);
  },
  2 * MOVE_MS,
);

test(
  'nothing is left on any node once all is removed',
  async () => {
    await app[Symbol.asyncDispose]();
    const left = async () => {
      const all = world.nodes.map(async ({ engine }) => {
        const filters = { label: [LABEL.instance] };
        const containers = await engine.docker.listContainers({ all: true, filters });
        const { Volumes } = await engine.docker.listVolumes({ filters });
        return [...containers, ...(Volumes ?? [])];
      });
      return (await Promise.all(all)).flat();
    };
    // What holds a line into a machine that was lost goes when its relay finds that nobody is there.
    await expect.poll(left, { timeout: MOVE_MS }).toEqual([]);
    await removeSwarm(world.first.engine, PROJECT);
    // Gone already is success.
    await removeSwarm(world.first.engine, PROJECT);
    expect(await world.first.engine.docker.listServices()).toEqual([]);
    expect(await world.first.engine.docker.listSecrets()).toEqual([]);
  },
  MOVE_MS,
);
