import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { check, defineLab, notYet, passed } from '#lab';
import type { Step } from '#steps';
import { ensureImage } from '../../server/engine/build-image.ts';
import { Engine } from '../../server/engine/engine.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { destroySandbox, liveSandboxes } from '../../server/sandbox/removal.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { sendImages } from '../../server/swarm/node-images.ts';
import { engineContract } from '../contract/engine-contract.ts';
import {
  openApp,
  PROJECT,
  realEngine,
  started,
  type TestApp,
  type TestLearner,
  until,
} from './stage.ts';
import { openSwarmStage, type StageNode, type SwarmStage } from './swarm-stage.ts';

/** Images of half a GiB go to three machines of two cores; each takes a quarter of a minute, and on a busy machine several times that. */
const IMAGES_MS = 600_000;
/** A Swarm calls a node lost after some twelve seconds, and its hosts are made anew then. */
const MOVE_MS = 240_000;

/** The check that a learner passes, by its step: a route that only their own client has. */
const ROUTE = 'route';
const ROUTED = '10.9.0.0/24';

/** Hosts without engines of their own: where they are is what is tried. */
const LAB = defineLab({
  title: 'Small',
  hosts: { client: { address: '10.1.10.100/24' }, other: { address: '10.1.10.101/24' } },
  browser: 'client',
  sections: [
    {
      page: 'index',
      title: 'Small',
      checks: [
        check(ROUTE, {
          title: 'A route',
          test: async ({ host }) =>
            (await host('client').routes()).some(({ via }) => via === '10.1.10.101')
              ? passed()
              : notYet('No route yet.'),
        }),
      ],
    },
  ],
});
const STEP: Step = {
  id: ROUTE,
  page: 'index',
  heading: 'A route',
  file: '',
  line: 0,
  actions: [
    {
      kind: 'run',
      host: 'client',
      command: `sudo ip route add ${ROUTED} via 10.1.10.101`,
      line: 0,
    },
  ],
  checks: [ROUTE],
};
const LABS = new Map([['small', LAB]]);

/** Each machine has one task of the relay's stack, so one more on each. */
const LEARNERS = 3;

let stage: SwarmStage;
let app: TestApp;
let learners: readonly TestLearner[];

beforeAll(async () => {
  const built = await realEngine();
  const silent = () => undefined;
  await using runtime = await createSandboxRuntime(PROJECT, built, LABS, 'swarm', silent);
  const relay = await ensureImage(built, join(PROJECT, 'images'), 'relay', silent);
  stage = await openSwarmStage(3);
  const names = [runtime.hostImage, ...Object.values(runtime.labImages), relay];
  const { signal } = new AbortController();
  const [first, ...others] = stage.nodes;
  if (!first) throw new Error('no machine');
  await sendImages(built, first.engine, names, 'first', silent, signal);
  // As an operator does: the relay's image, and the label.
  for (const { engine } of others) {
    await sendImages(built, engine, [relay], 'other', silent, signal);
  }
  for (const { id } of stage.nodes) await change(first, id, { Labels: { quayside: 'true' } });
  // Its directories are another's: what is mounted here is not seen there.
  const engine = new Engine(first.engine.address, undefined, { isRelayed: true });
  app = await openApp({
    engine,
    labs: LABS,
    steps: new Map([['small', [STEP]]]),
    swarm: true,
    sandboxes: 10,
    mayFail: true,
  });
  const reached = () => expect(app.runtime.placement?.machines()).toHaveLength(3);
  await vi.waitFor(reached, { timeout: IMAGES_MS });
}, IMAGES_MS);

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
}, IMAGES_MS);

/** What an operator changes on a node. */
async function change(first: StageNode, id: string, spec: object): Promise<void> {
  const node = first.engine.docker.getNode(id);
  const { Version, Spec } = await node.inspect();
  await node.update({ version: Version.Index, ...Spec, ...spec });
}

/** The hosts that run on each machine, by sandbox. */
async function sandboxesOn({ engine }: StageNode): Promise<readonly string[]> {
  const filters = { label: [LABEL.host] };
  const all = await engine.docker.listContainers({ all: true, filters });
  return [...new Set(all.map(({ Labels }) => Labels[LABEL.sandbox] ?? ''))];
}

function sandboxOf({ id }: TestLearner): string {
  return app.store.session(id, 'small').row.sandbox ?? 'none';
}

async function nodeOf(learner: TestLearner): Promise<StageNode> {
  for (const node of stage.nodes) {
    if ((await sandboxesOn(node)).includes(sandboxOf(learner))) return node;
  }
  throw new Error('the sandbox is on no machine');
}

/** What a learner's client has for routes, as it says itself. */
async function routesOf(learner: TestLearner): Promise<string> {
  const { engine } = await nodeOf(learner);
  const label = [`${LABEL.sandbox}=${sandboxOf(learner)}`, `${LABEL.host}=client`];
  const [client] = await engine.docker.listContainers({ filters: { label } });
  return client ? (await engine.run(client.Id, ['ip', 'route'])).stdout : '';
}

async function learnerOn(node: StageNode): Promise<TestLearner> {
  const there = await sandboxesOn(node);
  const learner = learners.find((each) => there.includes(sandboxOf(each)));
  if (!learner) throw new Error('nobody is on that node');
  return learner;
}

/** Settles when a learner's hosts are ready on another machine than before. */
async function moved(learner: TestLearner, from: StageNode): Promise<void> {
  const others = stage.nodes.filter((each) => each !== from);
  const there = async () => {
    const { status } = learner.session.snapshot();
    const found = (await Promise.all(others.map(sandboxesOn))).flat();
    return status.state === 'ready' && found.includes(sandboxOf(learner));
  };
  await expect.poll(there, { timeout: MOVE_MS }).toBe(true);
}

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
  'learners are on all nodes',
  async () => {
    learners = Array.from({ length: LEARNERS }, () => app.newLearner('small'));
    await Promise.all(learners.map(({ session }) => started(session)));
    const nodes = await Promise.all(learners.map(nodeOf));
    expect(new Set(nodes).size).toBe(3);
  },
  MOVE_MS,
);

test('no port of any node is open, and no service publishes one', async () => {
  const services = await stage.nodes[0]?.engine.docker.listServices();
  const ports = services?.map(
    (each) => (each as { Endpoint?: { Ports?: unknown } }).Endpoint?.Ports,
  );
  expect(ports?.filter((each) => each !== undefined)).toEqual([]);
});

test(
  'a drained node’s sandbox moves, what was passed is done again, and nothing stays there',
  async () => {
    const [first, second] = stage.nodes;
    if (!first || !second) throw new Error('no second node');
    const one = await learnerOn(second);
    one.session.doStep(ROUTE);
    await until(one.session, 'the check to pass', ({ checks }) => checks[0]?.state === 'passed');
    await change(first, second.id, { Availability: 'drain' });
    await moved(one, second);
    await expect.poll(() => routesOf(one), { timeout: MOVE_MS }).toContain(ROUTED);
    await expect.poll(() => sandboxesOn(second), { timeout: MOVE_MS }).toEqual([]);
  },
  2 * MOVE_MS,
);

test(
  'a lost node’s sandbox is made anew elsewhere, and what it had there goes when it is back',
  async () => {
    const third = stage.nodes[2];
    if (!third) throw new Error('no third node');
    const one = await learnerOn(third);
    third.cut();
    await moved(one, third);
    third.mend();
    await expect.poll(() => sandboxesOn(third), { timeout: MOVE_MS }).toEqual([]);
  },
  2 * MOVE_MS,
);
