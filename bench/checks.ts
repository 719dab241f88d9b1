/**
 * `npm run bench:checks`: how long it takes from an event of a host's engine to the changed answer leaving the server
 * for the page, with one sandbox and with ten that are all busy. The event's own time stamp (Docker's `timeNano`) is
 * the start; both clocks are this machine's.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { check, defineLab, notYet, value } from '#lab';
import { jsonLines } from '../server/engine/engine.ts';
import { findEngine } from '../server/engine/find.ts';
import { prepareFoundry } from '../server/foundry.ts';
import { destroySandbox, type Foundry, liveSandboxes } from '../server/sandbox/sandbox.ts';
import { say } from '../server/say.ts';
import { Registry } from '../server/session/registry.ts';
import { Store } from '../server/session/store.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const LAB = 'bench';
const IMAGE = 'mycontainer:5.6';
const SANDBOXES = [1, 10];
/** Enough for a p95 that one odd sample does not make. */
const EVENTS_EACH = 40;
/** As many checks as the Docker Networking lab has, so that a round costs what it costs there. */
const CHECKS = 23;
/** Between two events of one sandbox: a quick learner. */
const PAUSE_MS = 150;
const READY_MS = 120_000;

const lab = defineLab({
  title: 'Bench',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: true, images: [IMAGE] },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  values: {
    // Containers that are made and not started: no other signal tells of them than the engine's event.
    containers: value('none', async ({ host }) =>
      (await host('server01').docker.listContainers({ all: true }))
        .flatMap(({ Names }) => Names)
        .join(' '),
    ),
  },
  sections: [
    {
      page: 'p',
      title: 'P',
      checks: Array.from({ length: CHECKS }, (_, index) =>
        check(`check-${index}`, {
          title: 'A question like those of a lab',
          test: async ({ host }) => {
            await host('server01').container(`app${index % 3}`);
            if (index % 5 === 0) await host('client').routes();
            return notYet('not yet');
          },
        }),
      ),
    },
  ],
});

/** Milliseconds from each of a learner's container events to the value that tells of it. */
async function learnerAtWork(sessions: Registry, learner: string, foundry: Foundry) {
  const heard = new EventTarget();
  let containers = '';
  using _ = sessions.subscribe(learner, LAB, (event) => {
    if (event.type !== 'values') return;
    containers = event.values.find(({ id }) => id === 'containers')?.text ?? containers;
    heard.dispatchEvent(new Event('values'));
  });
  const [server] = await foundry.engine.docker.listContainers({
    filters: {
      label: [`quayside.session=${sessionOf.get(learner)}`, 'quayside.host=server01'],
    },
  });
  if (!server) throw new Error('the sandbox has no server01');
  const docker = foundry.engine.nested(server.Id);
  const stop = new AbortController();
  const created = new Map<string, number>();
  const events = await docker.getEvents({
    filters: { type: ['container'], event: ['create'] },
    abortSignal: stop.signal,
  });
  const watching = (async () => {
    for await (const event of jsonLines<{
      timeNano: number;
      Actor: { Attributes: { name: string } };
    }>(events)) {
      created.set(event.Actor.Attributes.name, event.timeNano / 1e6);
      heard.dispatchEvent(new Event('created'));
    }
  })().catch(() => undefined);
  const samples: number[] = [];
  for (let index = 0; index < EVENTS_EACH; index++) {
    const name = `made${index}`;
    const told = new Promise<number>((settle) => {
      const onValues = () => {
        if (!containers.split(' ').includes(`/${name}`)) return;
        heard.removeEventListener('values', onValues);
        settle(performance.timeOrigin + performance.now());
      };
      heard.addEventListener('values', onValues);
    });
    const container = await docker.createContainer({ name, Image: IMAGE });
    const at = await told;
    while (!created.has(name)) await once(heard, 'created');
    samples.push(at - (created.get(name) ?? at));
    await container.remove();
    await new Promise((settle) => setTimeout(settle, PAUSE_MS * (0.5 + Math.random())));
  }
  stop.abort();
  await watching;
  return samples;
}

const sessionOf = new Map<string, string>();

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function ready(sessions: Registry, learner: string): Promise<void> {
  const bell = new EventTarget();
  let state = '';
  using _ = sessions.subscribe(learner, LAB, (event) => {
    if (event.type === 'snapshot') state = event.snapshot.status.state;
    if (event.type === 'status') state = event.status.state;
    bell.dispatchEvent(new Event('change'));
  });
  while (state !== 'ready') {
    if (state === 'failed') throw new Error('a sandbox failed to start');
    await once(bell, 'change', { signal: AbortSignal.timeout(READY_MS) });
  }
}

const engine = await findEngine(process.env, say);
const instance = `bench-${randomBytes(3).toString('hex')}`;
const labs = new Map([[LAB, lab]]);
const foundry = await prepareFoundry(PROJECT, engine, labs, instance, say);
console.log('From the event of a host’s engine to the changed answer, ms:\n');
console.log('| sandboxes, all busy | events | p50 | p95 | p99 |\n| --- | --- | --- | --- | --- |');
for (const count of SANDBOXES) {
  using store = new Store(':memory:');
  const sessions = new Registry({
    foundry,
    store,
    labs,
    sandboxesMost: count,
    log: (message, error) => console.error(message, error),
  });
  try {
    const learners = Array.from({ length: count }, () => store.createLearner().learner);
    for (const learner of learners) {
      sessions.start(learner, LAB);
      await ready(sessions, learner);
      sessionOf.set(learner, store.session(learner, LAB).id);
    }
    const samples = (
      await Promise.all(learners.map((learner) => learnerAtWork(sessions, learner, foundry)))
    )
      .flat()
      .sort((a, b) => a - b);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(samples, share).toFixed(1));
    console.log(`| ${count} | ${samples.length} | ${p50} | ${p95} | ${p99} |`);
  } finally {
    await sessions.close(true);
    for (const id of await liveSandboxes(foundry, store.instance))
      await destroySandbox(foundry, id);
  }
}
process.exit(0);
