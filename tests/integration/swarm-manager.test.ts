import { expect, onTestFinished, test } from 'vitest';
import { started, until } from './stage.ts';
import { hostsOn, IMAGES_MS, LAB, MOVE_MS, openSwarmWorld, Whereabouts } from './swarm-world.ts';

/** The nodes find each other again on the relays' network after up to a minute, which is the Docker Engine's doing. */
const FOUND_MS = 2 * MOVE_MS;

test(
  'a manager that restarts: hosts on other nodes run on, its own run again, and everybody keeps their sandbox',
  async () => {
    const world = await openSwarmWorld(2);
    onTestFinished(() => world[Symbol.asyncDispose](), IMAGES_MS);
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
