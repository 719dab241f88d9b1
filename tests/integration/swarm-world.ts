import { expect, vi } from 'vitest';
import { check, defineLab, notYet, passed } from '#lab';
import type { Step } from '#steps';
import { sendToStage } from '../../machines/swarm-images.ts';
import { changeNode, openSwarmStage, type StageNode } from '../../machines/swarm-stage.ts';
import { Engine } from '../../server/engine/engine.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { removeSwarm } from '../../server/swarm/swarm.ts';
import {
  type AppOptions,
  openApp,
  PROJECT,
  realEngine,
  type TestApp,
  type TestLearner,
} from './stage.ts';

/** Images of half a GiB go to three machines of two cores; each takes a quarter of a minute, and on a busy machine several times that. */
export const IMAGES_MS = 600_000;
/** A Swarm calls a node lost after some twelve seconds, and its hosts are made anew then. */
export const MOVE_MS = 240_000;

/** What a learner's client has a route to once each step is done. No other has one. */
const ROUTES = { route: '10.9.0.0/24', another: '10.9.1.0/24', last: '10.9.2.0/24' } as const;
/** The check of the first of them, by its step. */
export const ROUTE = 'route';
export const ROUTED = ROUTES[ROUTE];
/** What the engine of the other host has from the start. */
export const IMAGE = 'mycontainer:5.6';
const NEXT_HOP = '10.1.10.101';

/** Its engine sleeps, so that a sandbox costs little: where hosts are is what is tried. */
const SMALL = defineLab({
  title: 'Small',
  hosts: {
    client: { address: '10.1.10.100/24' },
    other: { address: `${NEXT_HOP}/24`, engine: true, images: [IMAGE] },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'index',
      title: 'Small',
      checks: Object.entries(ROUTES).map(([id, to]) =>
        check(id, {
          title: `A route to ${to}`,
          test: async ({ host }) =>
            (await host('client').routes()).some(
              ({ destination, via }) => destination === to && via === NEXT_HOP,
            )
              ? passed()
              : notYet('No route yet.'),
        }),
      ),
    },
  ],
});
/** In the order of the lab. */
export const STEPS: readonly Step[] = Object.entries(ROUTES).map(([id, to]) => ({
  id,
  page: 'index',
  heading: `A route to ${to}`,
  file: '',
  line: 0,
  actions: [
    {
      kind: 'run',
      host: 'client',
      command: `sudo ip route add ${to} via ${NEXT_HOP}`,
      line: 0,
    },
  ],
  checks: [id],
}));
/** The folder of the lab. */
export const LAB = 'small';
/** What a server of a stage serves. */
export type Served = Required<Pick<AppOptions, 'labs' | 'steps'>>;

const SMALL_ONLY: Served = {
  labs: new Map([[LAB, SMALL]]),
  steps: new Map([[LAB, STEPS]]),
};

/** A server on the first machine of a stage, and what an operator knows of it. Disposing it removes the machines. */
export interface SwarmWorld extends AsyncDisposable {
  readonly nodes: readonly StageNode[];
  /** The machine of servers, which manages the Swarm. */
  readonly first: StageNode;
  /** A server, which reaches all machines when this settles. */
  serve(more?: ServeOptions): Promise<TestApp>;
}

interface ServeOptions extends Pick<AppOptions, 'data' | 'idleMinutes' | 'sandboxes'> {
  /** The server's machine; {@link SwarmWorld.first}, if not given. */
  readonly on?: StageNode;
  /** How many machines it is to reach; all, if not given. */
  readonly reaches?: number;
}

/** Raises machines, and does what an operator does: the relay's image on each, and the label. */
export async function openSwarmWorld(count: number, served = SMALL_ONLY): Promise<SwarmWorld> {
  await using opened = new AsyncDisposableStack();
  const { nodes } = opened.use(await openSwarmStage(count));
  const [first] = nodes;
  if (!first) throw new Error('no machine');
  await sendToStage(await realEngine(), nodes, served.labs);
  for (const { id } of nodes) await changeNode(first, id, { Labels: { quayside: 'true' } });
  const all = opened.move();
  return {
    nodes,
    first,
    serve: async ({ on = first, reaches = count, ...more } = {}) => {
      const app = await openApp({ ...onSwarm(on.engine.address, served), ...more });
      const reached = () => expect(app.runtime.placement?.machines()).toHaveLength(reaches);
      await vi.waitFor(reached, { timeout: IMAGES_MS });
      return app;
    },
    [Symbol.asyncDispose]: async () => {
      await using _ = all;
      await removeSwarm(first.engine, PROJECT);
    },
  };
}

/** Settles when a server reaches so many machines. */
export async function reached({ runtime }: TestApp, count: number): Promise<void> {
  const machines = () => runtime.placement?.machines();
  await expect.poll(machines, { timeout: MOVE_MS }).toHaveLength(count);
}

/** How a server is told to run on the first machine. @param address of the machine's engine */
export function onSwarm(address: string, served = SMALL_ONLY): AppOptions {
  return {
    // Its directories are another's: what is mounted here is not seen there.
    engine: new Engine(address, undefined, { isRelayed: true }),
    ...served,
    swarm: true,
    sandboxes: 10,
    mayFail: true,
  };
}

/** The sandboxes of which a machine has hosts. @param all also stopped ones */
export async function sandboxesOn({ engine }: StageNode, all = true): Promise<readonly string[]> {
  const filters = { label: [LABEL.host] };
  const found = await engine.docker.listContainers({ all, filters });
  return [...new Set(found.map(({ Labels }) => Labels[LABEL.sandbox] ?? ''))];
}

/** The hosts that run on a machine. */
export async function hostsOn({ engine }: StageNode): Promise<readonly string[]> {
  const found = await engine.docker.listContainers({ filters: { label: [LABEL.host] } });
  return found.map(({ Id }) => Id).toSorted();
}

/** Where a server's learners are. */
export class Whereabouts {
  readonly #nodes: readonly StageNode[];
  readonly #store: TestApp['store'];
  readonly #lab: string;

  constructor(nodes: readonly StageNode[], { store }: TestApp, lab = LAB) {
    this.#nodes = nodes;
    this.#store = store;
    this.#lab = lab;
  }

  sandboxOf({ id }: TestLearner): string {
    return this.#store.session(id, this.#lab).row.sandbox ?? 'none';
  }

  /** The machine that a learner's sandbox is on. */
  async nodeOf(learner: TestLearner): Promise<StageNode> {
    for (const node of this.#nodes) {
      if ((await sandboxesOn(node)).includes(this.sandboxOf(learner))) return node;
    }
    throw new Error('the sandbox is on no machine');
  }

  /** A learner's sandbox, and the machine that it is on. */
  async of(learner: TestLearner): Promise<readonly [string, string]> {
    return [this.sandboxOf(learner), (await this.nodeOf(learner)).id];
  }

  /** One of these learners whose sandbox is on that machine. */
  async learnerOn(node: StageNode, learners: readonly TestLearner[]): Promise<TestLearner> {
    const there = await sandboxesOn(node);
    const learner = learners.find((each) => there.includes(this.sandboxOf(each)));
    if (!learner) throw new Error('nobody is on that node');
    return learner;
  }

  /** What a program on a learner's host prints. */
  async said(learner: TestLearner, host: string, argv: readonly string[]): Promise<string> {
    const { engine } = await this.nodeOf(learner);
    const label = [`${LABEL.sandbox}=${this.sandboxOf(learner)}`, `${LABEL.host}=${host}`];
    const [found] = await engine.docker.listContainers({ filters: { label } });
    return found ? (await engine.run(found.Id, argv)).stdout : '';
  }

  /** Settles when a learner's hosts are ready on another machine than before. */
  async moved(learner: TestLearner, from: StageNode): Promise<void> {
    const others = this.#nodes.filter((each) => each !== from);
    const there = async () => {
      const { status } = learner.session.snapshot();
      const found = (await Promise.all(others.map((each) => sandboxesOn(each)))).flat();
      return status.state === 'ready' && found.includes(this.sandboxOf(learner));
    };
    await expect.poll(there, { timeout: MOVE_MS }).toBe(true);
  }
}

/** Does a step as often as it takes: who is moved in the middle of it has fresh hosts afterwards, and does it there. */
export async function passes({ session }: TestLearner, step: Step): Promise<void> {
  const hasPassed = () => {
    const { checks } = session.snapshot();
    const passed = checks.filter(({ state }) => state === 'passed').map(({ id }) => id);
    return step.checks.every((check) => passed.includes(check));
  };
  const isFree = () => {
    const { status, guide } = session.snapshot();
    return status.state === 'ready' && guide.state !== 'working';
  };
  while (!hasPassed()) {
    await expect.poll(() => isFree() || hasPassed(), { timeout: 2 * MOVE_MS }).toBe(true);
    if (hasPassed()) return;
    session.doStep(step.id);
    await expect.poll(() => isFree() || hasPassed(), { timeout: 2 * MOVE_MS }).toBe(true);
  }
}
