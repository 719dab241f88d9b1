import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { changeNode, type StageNode } from '../../machines/swarm-stage.ts';
import { started, type TestApp, type TestLearner, until } from '../integration/stage.ts';
import {
  IMAGES_MS,
  LAB,
  MOVE_MS,
  openSwarmWorld,
  passes,
  reached,
  STEPS,
  type SwarmWorld,
  sandboxesOn,
  Whereabouts,
} from '../integration/swarm-world.ts';

/** One on each machine. */
const LEARNERS = 3;

let world: SwarmWorld;
let app: TestApp;
let where: Whereabouts;
let learners: readonly TestLearner[];

/** Settles when a machine says that it manages the Swarm. */
async function manages({ engine }: StageNode): Promise<void> {
  const isManager = async () => {
    const { Swarm } = (await engine.docker.info()) as {
      readonly Swarm: { readonly ControlAvailable: boolean };
    };
    expect(Swarm.ControlAvailable).toBe(true);
  };
  await vi.waitFor(isManager, { timeout: MOVE_MS });
}

/** Settles when a machine's managers have a leader: `docker node ls` answers. */
async function untilLed({ engine }: StageNode): Promise<void> {
  await vi.waitFor(() => engine.docker.listNodes(), { timeout: MOVE_MS });
}

/** Whether they have one at this moment. */
async function isLedNow({ engine }: StageNode): Promise<boolean> {
  return await engine.docker.listNodes().then(
    () => true,
    () => false,
  );
}

function nodes(): readonly [StageNode, StageNode, StageNode] {
  const [first, second, third] = world.nodes;
  if (!first || !second || !third) throw new Error('three machines');
  return [first, second, third];
}

function step(index: number) {
  const found = STEPS[index];
  if (!found) throw new Error('no such step');
  return found;
}

beforeAll(async () => {
  world = await openSwarmWorld(LEARNERS);
  const [first, ...others] = world.nodes;
  for (const each of others) {
    if (first) await changeNode(first, each.id, { Role: 'manager' });
    await manages(each);
  }
  app = await world.serve();
  where = new Whereabouts(world.nodes, app);
  learners = Array.from({ length: LEARNERS }, () => app.newLearner(LAB));
  await Promise.all(learners.map(({ session }) => started(session)));
}, IMAGES_MS);

afterAll(async () => {
  for (const node of world?.nodes ?? []) node.mend();
  if (world) await untilLed(world.first);
  await world?.[Symbol.asyncDispose]();
}, IMAGES_MS);

test(
  'one manager of three is lost: its learner goes on elsewhere',
  async () => {
    const [, , third] = nodes();
    const one = await where.learnerOn(third, learners);
    third.cut();
    try {
      await where.moved(one, third);
      await passes(one, step(0));
    } finally {
      third.mend();
    }
    await reached(app, LEARNERS);
    await expect.poll(() => sandboxesOn(third), { timeout: MOVE_MS }).toEqual([]);
  },
  2 * MOVE_MS,
);

test(
  'without a majority of managers nobody new gets hosts, who has them on the server’s machine goes on, and all is as before once they are back',
  async () => {
    const [first, second, third] = nodes();
    const here = await where.learnerOn(first, learners);
    second.cut();
    third.cut();
    const late = app.newLearner(LAB);
    try {
      await expect.poll(() => isLedNow(first), { timeout: MOVE_MS }).toBe(false);
      await passes(here, step(1));
      late.session.start();
      await until(
        late.session,
        'the newcomer to wait',
        ({ status }) => status.state === 'starting',
      );
      await passes(here, step(2));
      expect(late.session.snapshot().status.state).toBe('starting');
    } finally {
      second.mend();
      third.mend();
    }
    await until(late.session, 'the newcomer’s hosts', ({ status }) => status.state === 'ready');
    await reached(app, LEARNERS);
    await Promise.all([...learners, late].map((each) => passes(each, step(1))));
    await late.session.end('enough');
  },
  3 * MOVE_MS,
);

test(
  'the server’s machine is lost: a server on another manager, with the same data, takes up what is there',
  async () => {
    const [first, second] = nodes();
    const [stays, moves] = await Promise.all([
      where.learnerOn(second, learners),
      where.learnerOn(first, learners),
    ]);
    const sandbox = where.sandboxOf(stays);
    await app.close({ clean: false });
    first.cut();
    try {
      await untilLed(second);
      app = await world.serve({ data: app.data, on: second, reaches: LEARNERS - 1 });
      where = new Whereabouts(world.nodes, app);
      learners = learners.map(({ id }) => ({ id, session: app.sessions.of(id, LAB) }));
      const again = (one: TestLearner) => ({ ...one, session: app.sessions.of(one.id, LAB) });
      await where.moved(again(moves), first);
      await until(again(stays).session, 'hosts', ({ status }) => status.state === 'ready');
      expect(where.sandboxOf(stays)).toBe(sandbox);
      await Promise.all(learners.map((each) => passes(each, step(2))));
    } finally {
      first.mend();
    }
    await reached(app, LEARNERS);
    await app[Symbol.asyncDispose]();
    for (const node of world.nodes) {
      await expect.poll(() => sandboxesOn(node), { timeout: MOVE_MS }).toEqual([]);
    }
  },
  3 * MOVE_MS,
);
