import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionEvent, SessionStatus } from '#protocol';
import { Store } from '../../server/store/store.ts';
import { started, until } from './stage.ts';
import {
  hostsOn,
  IMAGES_MS,
  LAB,
  MOVE_MS,
  openSwarmWorld,
  type SwarmWorld,
  sandboxesOn,
  Whereabouts,
} from './swarm-world.ts';

/** The nodes find each other again on the relays' network after up to a minute, which is the Docker Engine's doing. */
const FOUND_MS = 2 * MOVE_MS;

let world: SwarmWorld;

beforeAll(async () => {
  world = await openSwarmWorld(2);
}, IMAGES_MS);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, IMAGES_MS);

/** Serves a learner in a process of its own, and kills it as soon as their session is as `isMoment` says. */
async function killedWhen(
  data: string,
  learner: string,
  isMoment: (status: SessionStatus) => boolean,
): Promise<void> {
  const program = join(import.meta.dirname, 'swarm-victim.ts');
  const child = fork(program, [world.first.engine.address, data, learner], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  child.on('message', (said: SessionEvent) => {
    const status = said.type === 'snapshot' ? said.snapshot.status : undefined;
    const now = said.type === 'status' ? said.status : status;
    if (now && isMoment(now)) child.kill('SIGKILL');
  });
  const [, signal] = await gone;
  expect(signal).toBe('SIGKILL');
}

test.each<[string, (status: SessionStatus) => boolean]>([
  [
    'while hosts are being made',
    (now) => now.state === 'starting' && now.hosts.some(({ detail }) => detail.includes('wired')),
  ],
  ['when hosts are ready', ({ state }) => state === 'ready'],
])(
  'a server that is killed %s: the next one goes on with the same sandbox, and there is no other',
  async (_, isMoment) => {
    const data = await mkdtemp(join(tmpdir(), 'quayside-swarm-'));
    let learner: string;
    {
      using store = new Store(join(data, 'quayside.sqlite'));
      learner = store.learners.create().learner;
    }
    await killedWhen(data, learner, isMoment);
    const found = async () =>
      (await Promise.all(world.nodes.map((each) => sandboxesOn(each)))).flat();
    const before = await found();
    await using app = await world.serve({ data });
    await until(
      app.sessions.of(learner, LAB),
      'the hosts to be ready',
      ({ status }) => status.state === 'ready',
    );
    expect(before).toHaveLength(1);
    expect(await found()).toEqual(before);
    await rm(data, { recursive: true, force: true });
  },
  IMAGES_MS,
);

test(
  'a manager that restarts: hosts on other nodes run on, its own run again, and everybody keeps their sandbox',
  async () => {
    await using app = await world.serve();
    const where = new Whereabouts(world.nodes, app);
    const learners = [app.newLearner(LAB), app.newLearner(LAB)];
    await Promise.all(learners.map(({ session }) => started(session)));
    const before = await Promise.all(learners.map((each) => where.of(each)));
    expect(new Set(before.map(([, node]) => node)).size).toBe(2);
    const others = world.nodes.filter((each) => each !== world.first);
    const elsewhere = await Promise.all(others.map(hostsOn));
    await world.first.stop();
    await world.first.start();
    for (const { session } of learners) {
      await until(session, 'every host to be ready', ({ status }) => {
        const hosts = status.state === 'ready' ? status.hosts : [];
        return hosts.length > 0 && hosts.every(({ phase }) => phase === 'ready');
      });
    }
    expect(await Promise.all(learners.map((each) => where.of(each)))).toEqual(before);
    expect(await Promise.all(others.map(hostsOn))).toEqual(elsewhere);
  },
  IMAGES_MS + FOUND_MS,
);
