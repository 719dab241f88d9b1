import { mkdtemp, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HostStatus, SessionEvent } from '#protocol';
import { Changes } from '../../client-driver/changes.ts';
import { Engine } from '../../server/engine/engine.ts';
import { ownEngineAddress, startOwnEngine, stopOwnEngine } from '../../server/engine/own-engine.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { CHAOS_LAB, CHECK, LAB, MADE } from './chaos-lab.ts';
import { removeEngine } from './second-engine.ts';
import { openApp, PROJECT, realEngine, type TestApp, type TestLearner } from './stage.ts';

const LABS = new Map([[LAB, CHAOS_LAB]]);

/** An engine of this test's own, for it is killed; the one that everybody shares only lends its images. */
let home: string;
let engine: Engine;
let app: TestApp;
let learner: TestLearner;
let heard: SessionEvent[] = [];
const changes = new Changes();
let listening: Disposable;

beforeAll(async () => {
  home = await mkdtemp('/tmp/quay-');
  const shared = await realEngine();
  await using lender = await createSandboxRuntime(PROJECT, shared, LABS, 'chaos', () => {});
  const { hostImage, labImages } = lender;
  await startOwnEngine(() => {}, home);
  engine = new Engine(ownEngineAddress(home));
  for (const name of [hostImage, ...Object.values(labImages)]) {
    const archive = await shared.docker.getImage(name).get();
    for await (const _ of await engine.docker.loadImage(archive)) {
      // Read to the end: the image is there when the report is complete.
    }
  }
  // That the engine goes away is what is tried.
  app = await openApp({ labs: LABS, engine, mayFail: true });
  learner = app.newLearner(LAB);
  listening = learner.session.subscribe((event) => {
    heard.push(event);
    changes.emit();
  });
  learner.session.start();
}, 300_000);

/** All is well before each trouble, and its host's engine is listened to: one that ends before that is not missed. */
beforeEach(async () => {
  await until('the hosts are ready', areReady);
  await until('the check has been asked', () => (check()?.state ?? 'unknown') !== 'unknown');
  await expect.poll(watchesEngine, WAIT).toBe(true);
  heard = [];
});

afterAll(async () => {
  listening?.[Symbol.dispose]();
  await app?.[Symbol.asyncDispose]();
  await removeEngine(home);
});

const WAIT = { timeout: 90_000 } as const;

/** The hosts as the page sees them. */
function hosts(): readonly HostStatus[] {
  const { status } = learner.session.snapshot();
  return status.state === 'ready' ? status.hosts : [];
}
const areReady = () => hosts().length === 2 && hosts().every(({ phase }) => phase === 'ready');
const check = () => learner.session.snapshot().checks.find(({ id }) => id === CHECK);
const isOpen = () => check()?.state === 'not-yet';

/** Settles as soon as a session says something after which `look` is true; at once where it is. */
function until(what: string, look: () => boolean): Promise<boolean> {
  const seen = () => JSON.stringify([hosts(), check()]);
  return changes.until({ ms: WAIT.timeout, what, look, seen });
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

const watchesEngine = () =>
  app.store
    .session(learner.id, LAB)
    .journal.all('host')
    .some(({ change }) => change === 'engine-up');

const container = (label: string) =>
  app.container(app.store.session(learner.id, LAB).row.sandbox, label);
const onServer = async (...argv: string[]) =>
  engine.run(await container('quayside.host=server01'), argv);
const visit = async () => (await learner.session.visit('http://10.1.10.11:9')).outcome;

test('the engine of a host killed: shown, the check cannot be asked meanwhile, and can be again', async () => {
  await onServer('pkill', '-KILL', '-x', 'dockerd');
  await until('the host is shown', () => saidOf('server01').includes('down: engine restarting'));
  await until('the check says so', () =>
    couldNotCheck(/Docker Engine of server01 does not answer/),
  );
  expect(saidOf('client')).not.toContain('down: engine restarting');
  await until('the host is ready', areReady);
  await until('the check is open', isOpen);
});

test('the switch killed: everybody is shown as cut off, and every link comes back', async () => {
  await engine.docker.getContainer(await container('quayside.role=switch')).kill();
  await until('both are shown', () =>
    ['server01', 'client'].every((name) => saidOf(name).includes('down: cut off')),
  );
  await until('the check says so', () => couldNotCheck(/cut off from the network/));
  await until('the hosts are ready', areReady);
  expect(await visit()).toBe('refused');
  await until('the check is open', isOpen);
});

test('a host killed: shown, the check cannot be asked meanwhile, and it comes back with its link', async () => {
  await engine.docker.getContainer(await container('quayside.host=server01')).kill();
  await until('the host is shown', () => saidOf('server01').includes('down: restarting'));
  await until('the check says so', () => couldNotCheck(/server01 is not running/));
  await until('the hosts are ready', areReady);
  expect(await visit()).toBe('refused');
  await until('the check is open', isOpen);
});

test('the whole engine killed and started again: shown, no check is asked, all is repaired, and the pass comes', async () => {
  // As a crash would: its hosts are not stopped.
  process.kill(Number(await readFile(`${home}/run/engine.pid`, 'utf8')), 'SIGKILL');
  await until('both are shown', () =>
    hosts().every(({ phase, detail }) => `${phase}: ${detail}` === 'down: engine away'),
  );
  await until('the check says so', () => couldNotCheck(/the engine that it runs on is away/));
  await startOwnEngine(() => {}, home);
  await until('the hosts are ready', areReady);
  expect(learner.session.snapshot().status.state).toBe('ready');
  await until('the check is open', isOpen);
  expect(await onServer('docker', 'create', '--name', MADE, 'mycontainer:5.6')).toMatchObject({
    status: 0,
  });
  await until('the check has passed', () => check()?.state === 'passed');
  expect(await visit()).toBe('refused');
});

test('a start while the engine is away fails with a reason, and can be tried again when it is back', async () => {
  const { session: other } = app.newLearner(LAB);
  using _ = other.observe(() => changes.emit());
  const state = () => other.snapshot().status;
  await stopOwnEngine(home);
  other.start();
  await until('it has failed', () => state().state === 'failed');
  expect(state()).toMatchObject({ reason: expect.stringContaining('could not be started') });
  await startOwnEngine(() => {}, home);
  await until('the hosts are ready', areReady);
  other.start();
  await until('the other’s are too', () => state().state === 'ready');
  await other.end();
  const { sandbox } = app.store.session(learner.id, LAB).row;
  await expect.poll(() => app.live(), WAIT).toEqual([sandbox]);
});
