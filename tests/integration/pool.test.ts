import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionEvent } from '#protocol';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { openRuntime, SMALL_LAB, sessionParts } from './stage.ts';

const LAB = 'small';

let stage: Awaited<ReturnType<typeof openRuntime>>;
let runtime: SandboxRuntime;
let store: Store;
const logged: string[] = [];

beforeAll(async () => {
  stage = await openRuntime();
  runtime = stage.runtime;
  store = new Store(':memory:');
});

afterAll(async () => {
  store[Symbol.dispose]();
  await stage?.[Symbol.asyncDispose]();
});

const registry = (options: { readonly most?: number; readonly pool?: number } = {}) =>
  new SessionManager({
    runtime,
    store,
    labs: new Map([[LAB, SMALL_LAB]]),
    sandboxesMost: options.most ?? 4,
    pool: options.pool ?? 1,
    ...sessionParts((message, error) => void logged.push(`${message}: ${error}`)),
  });

/** Settles when the pool has that many sandboxes ready. */
async function warm(sessions: SessionManager, count: number): Promise<void> {
  await expect.poll(() => sessions.counts().warm, { timeout: 60_000 }).toBe(count);
}

/** The session as it is right after its start. */
/** As the web edge answers: with what takes no more than one turn of the event loop. */
async function started(sessions: SessionManager, learner = '') {
  const session = sessions.of(learner, LAB);
  session.start();
  await setImmediate();
  return session.snapshot();
}

async function settled(sessions: SessionManager, learner: string, wanted: string): Promise<void> {
  const bell = new EventTarget();
  let now = '';
  using _ = sessions.of(learner, LAB).subscribe((event: SessionEvent) => {
    if (event.type === 'snapshot') now = event.snapshot.status.state;
    if (event.type === 'status') now = event.status.state;
    bell.dispatchEvent(new Event('change'));
  });
  while (now !== wanted) await once(bell, 'change', { signal: AbortSignal.timeout(60_000) });
}

async function labels(sandbox: string): Promise<readonly (string | undefined)[]> {
  const containers = await runtime.engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${sandbox}`, 'quayside.host'] },
  });
  return [...new Set(containers.map(({ Labels }) => Labels['quayside.session']))];
}

test('a sandbox from the pool is ready in the answer to the start itself, shells and all', async () => {
  const sessions = registry();
  sessions.open();
  await warm(sessions, 1);
  const [ahead] = await liveSandboxes(runtime, store.instance);
  const { learner } = store.createLearner();
  const before = store.session(learner, LAB);
  store.journal(before.id).pass({ check: 'kept', at: 7, about: 'state', assisted: false });
  const { status, terminals } = await started(sessions, learner);
  expect(status.state).toBe('ready');
  expect(terminals.map(({ title }) => title)).toEqual(['server01', 'client']);
  // Its labels are the session's: an operator finds the one by the other.
  const row = store.session(learner, LAB);
  expect(row.sandbox).toBe(ahead);
  expect(await labels(row.sandbox ?? '')).toEqual([row.id]);
  expect([...store.journal(row.id).passes]).toEqual([
    ['kept', { at: 7, about: undefined, assisted: false }],
  ]);
  // And it fills itself again.
  await warm(sessions, 1);
  expect(await liveSandboxes(runtime, store.instance)).toHaveLength(2);
  await sessions.close(false);
});

test('a server that comes back takes up what was taken, and clears what was only warm', async () => {
  const [{ id, sandbox, learner } = { id: '', sandbox: '', learner: '' }] =
    store.sessionsWithSandbox();
  const { terminals } = registry().of(learner, LAB).snapshot();
  expect(terminals).toEqual([]);
  const sessions = registry({ pool: 0 });
  sessions.open();
  await settled(sessions, learner, 'ready');
  await expect
    .poll(() => liveSandboxes(runtime, store.instance), { timeout: 60_000 })
    .toEqual([sandbox]);
  expect(
    sessions
      .of(learner, LAB)
      .snapshot()
      .terminals.map(({ title }) => title),
  ).toEqual(['server01', 'client']);
  expect(await labels(sandbox ?? '')).toEqual([id]);
  await sessions.close(true);
});

test('the pool gives way where the machine is full, and stays empty while it is', async () => {
  const sessions = registry({ most: 2 });
  sessions.open();
  await warm(sessions, 1);
  const [first, second, third] = [1, 2, 3].map(() => store.createLearner().learner);
  expect((await started(sessions, first)).status.state).toBe('ready');
  await warm(sessions, 1);
  expect((await started(sessions, second)).status.state).toBe('ready');
  expect((await started(sessions, third)).status).toMatchObject({ state: 'queued', place: 1 });
  void sessions.of(first ?? '', LAB).end();
  await settled(sessions, third ?? '', 'ready');
  expect(sessions.counts()).toMatchObject({ warm: 0, running: 2, waiting: 0 });
  await sessions.close(true);
});

test('a warm sandbox that lost a host is given to nobody', async () => {
  const sessions = registry();
  sessions.open();
  await warm(sessions, 1);
  const [spoilt] = await liveSandboxes(runtime, store.instance);
  const [client] = await runtime.engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${spoilt}`, 'quayside.host=client'] },
  });
  await runtime.engine.docker.getContainer(client?.Id ?? '').kill();
  await expect
    .poll(() => liveSandboxes(runtime, store.instance), { timeout: 60_000 })
    .not.toContain(spoilt);
  await warm(sessions, 1);
  const { learner } = store.createLearner();
  expect((await started(sessions, learner)).status.state).toBe('ready');
  await sessions.close(true);
});

test('the queue keeps its order while the server is away', async () => {
  const before = registry({ most: 1, pool: 0 });
  before.open();
  const [inside, second, third] = [1, 2, 3].map(() => store.createLearner().learner);
  before.of(inside ?? '', LAB).start();
  await settled(before, inside ?? '', 'ready');
  before.of(second ?? '', LAB).start();
  before.of(third ?? '', LAB).start();
  await before.close(false);
  const after = registry({ most: 1, pool: 0 });
  after.open();
  expect(after.of(second ?? '', LAB).snapshot().status).toMatchObject({
    state: 'queued',
    place: 1,
  });
  expect(after.of(third ?? '', LAB).snapshot().status).toMatchObject({ state: 'queued', place: 2 });
  void after.of(inside ?? '', LAB).end();
  await settled(after, second ?? '', 'ready');
  await after.close(true);
});

test('nothing is left, and nothing went wrong on the way', async () => {
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
  expect(logged).toEqual([]);
});
