import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostStatus, SessionEvent } from '#protocol';
import { DockerEngine } from '../../server/engine/docker-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { runningEngine } from '../../server/engine/find.ts';
import {
  killOwnEngine,
  ownEngineAddress,
  startOwnEngine,
  stopOwnEngine,
} from '../../server/engine/own-engine.ts';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { CHAOS_LAB, CHECK, LAB, MADE } from './chaos-lab.ts';
import { PROJECT, sessionParts } from './stage.ts';

const LABS = new Map([[LAB, CHAOS_LAB]]);

/** An engine of this test's own, for it is killed; the one that everybody shares only lends its images. */
let home: string;
let engine: Engine;
let runtime: SandboxRuntime;
let store: Store;
let sessions: SessionManager;
let learner: string;
let heard: SessionEvent[] = [];
const bell = new EventTarget();
let listening: Disposable;

beforeAll(async () => {
  home = await mkdtemp('/tmp/quay-');
  const shared = await runningEngine(process.env);
  if (!shared) throw new Error('No engine runs; npm test starts one.');
  await using lender = await createSandboxRuntime(PROJECT, shared, LABS, 'chaos', () => {});
  const { hostImage, labImages } = lender;
  await startOwnEngine(() => {}, home);
  engine = new DockerEngine(ownEngineAddress(home));
  for (const name of [hostImage, ...Object.values(labImages)]) {
    const archive = await shared.docker.getImage(name).get();
    for await (const _ of await engine.docker.loadImage(archive)) {
      // Read to the end: the image is there when the report is complete.
    }
  }
  store = new Store(':memory:');
  runtime = await createSandboxRuntime(PROJECT, engine, LABS, store.instance, () => {});
  sessions = new SessionManager({
    runtime,
    store,
    labs: LABS,
    sandboxesMost: 4,
    // That the engine went away is what this test is about.
    ...sessionParts(() => undefined),
  });
  sessions.open();
  ({ learner } = store.createLearner());
  listening = sessions.of(learner, LAB).subscribe((event) => {
    heard.push(event);
    bell.dispatchEvent(new Event('heard'));
  });
  sessions.of(learner, LAB).start();
  await until('the hosts are ready', areReady);
}, 300_000);

afterAll(async () => {
  listening?.[Symbol.dispose]();
  await sessions?.close(true);
  await runtime?.[Symbol.asyncDispose]();
  store?.[Symbol.dispose]();
  await stopOwnEngine(home);
  // An engine that was killed leaves mounts behind: its network namespace, and its data on itself.
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((at) => at.startsWith(`${home}/`));
  for (const at of mounts.reverse()) spawnSync('umount', ['-l', at]);
  await rm(home, { recursive: true, force: true });
});

const WAIT = { timeout: 90_000 } as const;

/** The hosts as the page sees them. */
function hosts(): readonly HostStatus[] {
  const { status } = sessions.of(learner, LAB).snapshot();
  return status.state === 'ready' ? status.hosts : [];
}
const areReady = () => hosts().length === 2 && hosts().every(({ phase }) => phase === 'ready');
const check = () =>
  sessions
    .of(learner, LAB)
    .snapshot()
    .checks.find(({ id }) => id === CHECK);
const isOpen = () => check()?.state === 'not-yet';

/** Settles as soon as the session says something after which `look` is true; at once where it is. */
async function until(what: string, look: () => boolean): Promise<void> {
  const signal = AbortSignal.timeout(WAIT.timeout);
  while (!look()) {
    await once(bell, 'heard', { signal }).catch(() => {
      throw new Error(`waited in vain until ${what}: ${JSON.stringify([hosts(), check()])}`);
    });
  }
}

/** What was said of a host since {@link heard} was emptied: "down: restarting". */
const saidOf = (name: string) =>
  heard.flatMap((event) => {
    if (event.type !== 'status' || event.status.state !== 'ready') return [];
    const host = event.status.hosts.find((each) => each.name === name);
    return host ? [`${host.phase}: ${host.detail}`] : [];
  });
/** Whether it was said since {@link heard} was emptied that the check could not be asked, and why. */
const couldNotCheck = (why: RegExp) =>
  heard.some(
    (event) =>
      event.type === 'checks' &&
      event.checks.some((each) => each.state === 'unknown' && why.test(each.reason)),
  );

/** Whether the host's engine is listened to; one that ends before that is not missed by anybody. */
const watchesEngine = () =>
  store
    .journal(store.session(learner, LAB).id)
    .all('host')
    .some(({ change }) => change === 'engine-up');

async function container(role: string): Promise<string> {
  const { sandbox } = store.session(learner, LAB);
  const [found] = await engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${sandbox}`, role] },
  });
  return found?.Id ?? '';
}
const onServer = async (...argv: string[]) =>
  engine.run(await container('quayside.host=server01'), argv);
const visit = async () => (await sessions.of(learner, LAB).visit('http://10.1.10.11:9')).outcome;

test('the engine of a host killed: shown, the check cannot be asked meanwhile, and can be again', async () => {
  await until('the check is open', isOpen);
  await expect.poll(watchesEngine, WAIT).toBe(true);
  heard = [];
  await onServer('pkill', '-KILL', '-x', 'dockerd');
  await until('the host is shown', () => saidOf('server01').includes('down: engine restarting'));
  await until('the check says so', () =>
    couldNotCheck(/Docker Engine of server01 does not answer/),
  );
  expect(saidOf('client')).not.toContain('down: engine restarting');
  await until('the host is ready', areReady);
  await until('the check is open', isOpen);
});

test('the switch killed: everybody is shown as cut off, and every wire comes back', async () => {
  heard = [];
  await engine.docker.getContainer(await container('quayside.role=switch')).kill();
  await until('both are shown', () =>
    ['server01', 'client'].every((name) => saidOf(name).includes('down: cut off')),
  );
  await until('the check says so', () => couldNotCheck(/cut off from the network/));
  await until('the hosts are ready', areReady);
  expect(await visit()).toBe('refused');
  await until('the check is open', isOpen);
});

test('a host killed: shown, the check cannot be asked meanwhile, and it comes back with its wire', async () => {
  heard = [];
  await engine.docker.getContainer(await container('quayside.host=server01')).kill();
  await until('the host is shown', () => saidOf('server01').includes('down: restarting'));
  await until('the check says so', () => couldNotCheck(/server01 is not running/));
  await until('the hosts are ready', areReady);
  expect(await visit()).toBe('refused');
  await until('the check is open', isOpen);
});

test('the whole engine killed and started again: shown, no check is asked, all is mended, and the pass comes', async () => {
  heard = [];
  await killOwnEngine(home);
  await until('both are shown', () =>
    hosts().every(({ phase, detail }) => `${phase}: ${detail}` === 'down: engine away'),
  );
  await until('the check says so', () => couldNotCheck(/the engine that it runs on is away/));
  await startOwnEngine(() => {}, home);
  await until('the hosts are ready', areReady);
  expect(sessions.of(learner, LAB).snapshot().status.state).toBe('ready');
  await until('the check is open', isOpen);
  expect(await onServer('docker', 'create', '--name', MADE, 'mycontainer:5.6')).toMatchObject({
    status: 0,
  });
  await until('the check has passed', () => check()?.state === 'passed');
  expect(await visit()).toBe('refused');
});

test('a start while the engine is away fails with a reason, and can be tried again when it is back', async () => {
  const { learner: other } = store.createLearner();
  using _ = sessions.of(other, LAB).subscribe(() => bell.dispatchEvent(new Event('heard')));
  const state = () => sessions.of(other, LAB).snapshot().status;
  await stopOwnEngine(home);
  sessions.of(other, LAB).start();
  await until('it has failed', () => state().state === 'failed');
  expect(state()).toMatchObject({ reason: expect.stringContaining('could not be started') });
  await startOwnEngine(() => {}, home);
  await until('the hosts are ready', areReady);
  sessions.of(other, LAB).start();
  await until('the other’s are too', () => state().state === 'ready');
  void sessions.of(other, LAB).end();
  const { sandbox } = store.session(learner, LAB);
  await expect.poll(() => liveSandboxes(runtime, store.instance), WAIT).toEqual([sandbox]);
});
