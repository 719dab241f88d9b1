import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SessionSnapshot } from '#protocol';
import type { LearnerSession } from '../../server/session/sessions.ts';
import { openApp, SMALL_LAB, started, type TestApp, untilReady } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);

/** Settles when the pool has that many sandboxes ready. */
async function warm({ sessions }: TestApp, count: number): Promise<void> {
  await expect.poll(() => sessions.capacity.counts().warm).toBe(count);
}

/** The session as the web edge answers a start: with what takes no more than one turn of the event loop. */
async function startedAtOnce(session: LearnerSession): Promise<SessionSnapshot> {
  session.start();
  await setImmediate();
  return session.snapshot();
}

/** The sessions that the hosts of a sandbox are labelled with. */
async function labelledSessions(
  { runtime }: TestApp,
  sandbox: string | undefined,
): Promise<readonly (string | undefined)[]> {
  const containers = await runtime.engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${sandbox}`, 'quayside.host'] },
  });
  return [...new Set(containers.map(({ Labels }) => Labels['quayside.session']))];
}

const titles = ({ terminals }: SessionSnapshot) => terminals.map(({ title }) => title);

test('a sandbox from the pool is ready in the answer to the start itself, shells and all', async () => {
  await using app = await openApp({ labs: LABS, pool: 1 });
  await warm(app, 1);
  const [ahead] = await app.live();
  const { id, session } = app.newLearner(LAB);
  app.store
    .session(id, LAB)
    .journal.pass({ check: 'kept', at: 7, about: 'state', assisted: false });
  const now = await startedAtOnce(session);
  expect(now.status.state).toBe('ready');
  expect(titles(now)).toEqual(['server01', 'client']);
  // Its labels are the session's: an operator finds the one by the other.
  const { row, journal } = app.store.session(id, LAB);
  expect(row.sandbox).toBe(ahead);
  expect(await labelledSessions(app, row.sandbox)).toEqual([row.id]);
  expect([...journal.passes]).toEqual([['kept', { at: 7, about: undefined, assisted: false }]]);
  // And it fills itself again.
  await warm(app, 1);
  expect(await app.live()).toHaveLength(2);
});

test('a sandbox from the pool has had its beginning, once, and it is no learner’s doing', async () => {
  const setup = ['docker run -d --name web mycontainer:5.6', 'echo once >> /srv/begun'];
  const hosts = SMALL_LAB.hosts.map((host) => (host.hasEngine ? { ...host, setup } : host));
  await using app = await openApp({ labs: new Map([[LAB, { ...SMALL_LAB, hosts }]]), pool: 1 });
  await warm(app, 1);
  const [ahead] = await app.live();
  const server = await app.container(ahead, 'quayside.host=server01');
  const begun = async () => (await app.runtime.engine.run(server, ['cat', '/srv/begun'])).stdout;
  expect(await begun()).toBe('once\n');
  const { id, session } = app.newLearner(LAB);
  expect((await startedAtOnce(session)).status.state).toBe('ready');
  const { row, journal } = app.store.session(id, LAB);
  expect(row.sandbox).toBe(ahead);
  await app.runtime.engine.run(server, [
    'docker',
    'run',
    '--name',
    'own',
    'mycontainer:5.6',
    'true',
  ]);
  const containers = () => journal.all('container').map(({ name }) => name);
  await expect.poll(containers).toContain('own');
  expect(containers()).not.toContain('web');
  expect(await begun()).toBe('once\n');
});

test('a server that comes back takes up what was taken, and removes what was only warm', async () => {
  await using first = await openApp({ labs: LABS, pool: 1 });
  await warm(first, 1);
  const { id, session } = first.newLearner(LAB);
  await startedAtOnce(session);
  await warm(first, 1);
  await first.close({ clean: false });
  await using second = await openApp({ labs: LABS, data: first.data });
  const now = await untilReady(second.sessions.of(id, LAB));
  expect(titles(now)).toEqual(['server01', 'client']);
  const { row } = second.store.session(id, LAB);
  await expect.poll(() => second.live()).toEqual([row.sandbox]);
  expect(await labelledSessions(second, row.sandbox)).toEqual([row.id]);
});

test('the pool gives way where the machine is full, and stays empty while it is', async () => {
  await using app = await openApp({ labs: LABS, sandboxes: 2, pool: 1 });
  await warm(app, 1);
  const [first, second, third] = [1, 2, 3].map(() => app.newLearner(LAB).session);
  if (!first || !second || !third) throw new Error('three have come');
  expect((await startedAtOnce(first)).status.state).toBe('ready');
  await warm(app, 1);
  expect((await startedAtOnce(second)).status.state).toBe('ready');
  expect((await startedAtOnce(third)).status).toMatchObject({ state: 'queued', place: 1 });
  await first.end();
  await untilReady(third);
  expect(app.sessions.capacity.counts()).toMatchObject({ warm: 0, running: 2, waiting: 0 });
});

test('a warm sandbox that lost a host is given to nobody', async () => {
  await using app = await openApp({ labs: LABS, pool: 1 });
  await warm(app, 1);
  const [broken] = await app.live();
  const client = await app.container(broken, 'quayside.host=client');
  await app.runtime.engine.docker.getContainer(client).kill();
  await expect.poll(() => app.live()).not.toContain(broken);
  await warm(app, 1);
  expect((await startedAtOnce(app.newLearner(LAB).session)).status.state).toBe('ready');
});

test('the queue keeps its order while the server is away', async () => {
  await using before = await openApp({ labs: LABS, sandboxes: 1 });
  const [inside, second, third] = [1, 2, 3].map(() => before.newLearner(LAB));
  if (!inside || !second || !third) throw new Error('three have come');
  await started(inside.session);
  for (const { session } of [second, third]) session.start();
  await before.close({ clean: false });
  await using after = await openApp({ labs: LABS, sandboxes: 1, data: before.data });
  const again = ({ id }: { readonly id: string }) => after.sessions.of(id, LAB);
  expect(again(second).snapshot().status).toMatchObject({ state: 'queued', place: 1 });
  expect(again(third).snapshot().status).toMatchObject({ state: 'queued', place: 2 });
  await again(inside).end();
  await untilReady(again(second));
});
