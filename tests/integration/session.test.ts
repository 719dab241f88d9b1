import { describe, expect, test } from 'vitest';
import { check, defineLab, file, type Lab } from '#lab';
import type { SessionSnapshot } from '#protocol';
import { ENGINE_DOWN } from '../../server/sandbox/host.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';
import { openApp, SMALL_LAB, started, until, untilReady } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);
/** Nothing listens there: refused is an answer, and hosts without a link would give none. */
const NOTHING_LISTENS = 'http://10.1.10.11:9';

test('a session starts hosts and opens a terminal on each, in the lab’s order', async () => {
  await using app = await openApp({ labs: LABS });
  const { terminals } = await started(app.newLearner(LAB).session);
  expect(terminals.map(({ title }) => title)).toEqual(['server01', 'client']);
});

test('a session is the learner’s alone: another finds neither its terminals nor its hosts', async () => {
  await using app = await openApp({ labs: LABS });
  const [ada, mallory] = [app.newLearner(LAB), app.newLearner(LAB)];
  const { terminals } = await started(ada.session);
  expect(mallory.session.snapshot().status).toEqual({ state: 'none' });
  expect(() => mallory.session.terminal(terminals[0]?.id ?? '')).toThrow(/closed/);
  expect(() => mallory.session.openTerminal('server01')).toThrow(/not running/);
});

test('sessions wait their turn where the machine has room for no more, and start when there is', async () => {
  await using app = await openApp({ labs: LABS, sandboxes: 1 });
  const [first, second, third] = [1, 2, 3].map(() => app.newLearner(LAB).session);
  if (!first || !second || !third) throw new Error('three have come');
  await started(first);
  for (const each of [second, third]) each.start();
  expect(second.snapshot().status).toMatchObject({ state: 'queued', place: 1 });
  expect(third.snapshot().status).toMatchObject({ state: 'queued', place: 2, because: 'full' });
  // Ending while in the queue is leaving it.
  await second.end();
  expect(third.snapshot().status).toMatchObject({ place: 1 });
  await first.end();
  await untilReady(third);
  await expect.poll(() => app.live()).toHaveLength(1);
});

test('a host that was killed is repaired, with its link, and shown as down meanwhile', async () => {
  await using app = await openApp({ labs: LABS });
  const { id, session } = app.newLearner(LAB);
  await started(session);
  const phases: string[] = [];
  using _ = session.observe((event) => {
    if (event.type !== 'status' || event.status.state !== 'ready') return;
    phases.push(event.status.hosts.find(({ name }) => name === 'client')?.phase ?? '');
  });
  const client = await app.container(
    app.store.session(id, LAB).row.sandbox,
    'quayside.host=client',
  );
  await app.runtime.engine.docker.getContainer(client).kill();
  await until(session, 'the client to be down', () => phases.includes('down'));
  await until(session, 'the client to be ready again', () => phases.at(-1) === 'ready');
  expect((await session.visit(NOTHING_LISTENS)).outcome).toBe('refused');
});

test('a host that its learner restarts keeps its disk and its tabs, and says so in them; the others go on', async () => {
  await using app = await openApp({ labs: LABS });
  const { id, session } = app.newLearner(LAB);
  const { terminals } = await started(session);
  const { sandbox } = app.store.session(id, LAB).row;
  const { docker } = app.runtime.engine;
  const startOf = async (host: string) => {
    const container = await app.container(sandbox, `quayside.host=${host}`);
    return (await docker.getContainer(container).inspect()).State.StartedAt;
  };
  const before = { server01: await startOf('server01'), client: await startOf('client') };
  const terminal = () => session.terminal(terminals[0]?.id ?? '');
  const shown = () => Buffer.from(terminal().outputSince(0)).toString();
  terminal().sendText(
    'docker create --name kept mycontainer:5.6 && echo in""side && less /etc/passwd\r',
  );
  await expect.poll(shown).toContain('inside');
  await session.restartHost('agent01');
  const now = await until(
    session,
    'all to be ready',
    ({ status }) =>
      status.state === 'ready' && status.hosts.every(({ phase }) => phase === 'ready'),
  );
  expect(now.terminals).toEqual(terminals);
  await expect.poll(() => session.terminal(terminals[0]?.id ?? '').prompt).toBe('clear');
  expect(shown()).toMatch(/\[\?1049l.*\r\nserver01 was restarted: what ran on it has ended/);
  terminal().sendText('docker inspect -f "status={{.State.Status}}" kept\r');
  await expect.poll(shown).toContain('status=created');
  expect(await startOf('client')).toBe(before.client);
  expect(await startOf('server01')).not.toBe(before.server01);
  expect((await session.visit(NOTHING_LISTENS)).outcome).toBe('refused');
});

test('a reset gives fresh hosts, and nothing of the old ones is left', async () => {
  await using app = await openApp({ labs: LABS });
  const { session } = app.newLearner(LAB);
  await started(session);
  const [before] = await app.live();
  await session.reset();
  await untilReady(session);
  await expect.poll(() => app.live()).toHaveLength(1);
  expect(await app.live()).not.toEqual([before]);
});

test('a session is taken up by the next server, which removes what belongs to nobody', async () => {
  await using first = await openApp({ labs: LABS });
  const { id, session } = first.newLearner(LAB);
  const { terminals } = await started(session);
  const { sandbox } = first.store.session(id, LAB).row;
  const labels = { instance: first.store.instance, sandbox: 'deadbeef', session: 'nobody' };
  await new Sandbox(first.runtime, SMALL_LAB, labels).reconcile(() => undefined);
  await first.close({ clean: false });
  await using second = await openApp({ labs: LABS, data: first.data });
  const again = second.sessions.of(id, LAB);
  await untilReady(again);
  await expect.poll(() => second.live()).toEqual([sandbox]);
  expect(again.snapshot().terminals).toEqual(terminals);
});

test('a host whose engine was stopped is there with its shell when the server comes back, and says what to type', async () => {
  await using first = await openApp({ labs: LABS });
  const { id, session } = first.newLearner(LAB);
  await started(session);
  const server01 = await first.container(
    first.store.session(id, LAB).row.sandbox,
    'quayside.host=server01',
  );
  const types = (...argv: string[]) => first.runtime.engine.run(server01, argv);
  const isShown = (detail: string) => (now: SessionSnapshot) =>
    now.status.state === 'ready' && now.status.hosts[0]?.detail === detail;
  await types('sh', '-c', 'docker ps; systemctl stop docker');
  await until(session, 'the engine to be stopped', isShown(ENGINE_DOWN.stopped));
  await first.close({ clean: false });
  await using second = await openApp({ labs: LABS, data: first.data });
  const again = second.sessions.of(id, LAB);
  await untilReady(again);
  expect(isShown('engine stopped (sudo systemctl start docker)')(again.snapshot())).toBe(true);
  expect(await again.openTerminal('server01')).toMatchObject({ host: 'server01' });
  await types('sh', '-c', 'echo "{ no" > /etc/docker/daemon.json; systemctl start docker');
  await until(again, 'what is wrong with the engine', isShown(ENGINE_DOWN.failed));
  await types('sh', '-c', 'rm /etc/docker/daemon.json; systemctl start docker');
  await until(again, 'the host to be ready', isShown('ready'));
});

test('a host that is restarted with an engine that cannot start is there with its shell', async () => {
  await using app = await openApp({ labs: LABS });
  const { id, session } = app.newLearner(LAB);
  await started(session);
  const { sandbox } = app.store.session(id, LAB).row;
  const server01 = await app.container(sandbox, 'quayside.host=server01');
  const { journal } = app.store.session(id, LAB);
  const isWatched = () => journal.all('host').some(({ change }) => change === 'engine-up');
  await app.runtime.engine.run(server01, ['docker', 'ps']);
  await expect.poll(isWatched).toBe(true);
  await app.runtime.engine.run(server01, ['sh', '-c', 'echo "{ no" > /etc/docker/daemon.json']);
  await app.runtime.engine.docker.getContainer(server01).kill();
  await until(
    session,
    'what is wrong with the engine',
    ({ status }) => status.state === 'ready' && status.hosts[0]?.detail === ENGINE_DOWN.failed,
  );
  expect(await session.openTerminal('server01')).toMatchObject({ host: 'server01' });
});

test('a server that is stopped with everything removed leaves nothing', async () => {
  await using app = await openApp({ labs: LABS });
  await started(app.newLearner(LAB).session);
  await app.close({ clean: true });
  expect(await app.live()).toEqual([]);
});

describe('a lab that is written again while a learner is in it', () => {
  const withCheck = (id: string): Lab =>
    defineLab({
      title: 'Small',
      hosts: {
        server01: { address: '10.1.10.11/24', aliases: ['agent01'], engine: true },
        client: { address: '10.1.10.100/24' },
      },
      browser: 'client',
      sections: [
        {
          page: 'p',
          title: 'P',
          checks: [check(id, { title: id, test: file('/etc/hosts').on('client') })],
        },
      ],
    });

  test('is asked by its new checks, on the same hosts, with the same terminals and passes', async () => {
    await using app = await openApp({ labs: new Map([[LAB, withCheck('before')]]) });
    const { session } = app.newLearner(LAB);
    const passed = (id: string) =>
      until(session, `${id} to be passed`, ({ checks }) =>
        checks.some((each) => each.id === id && each.state === 'passed'),
      );
    session.start();
    const { terminals } = await passed('before');
    expect(terminals).toHaveLength(2);

    app.sessions.reload(LAB, withCheck('after'));
    const now = await passed('after');
    expect(now.checks.map(({ id }) => id)).toEqual(['after']);
    expect(now.terminals).toEqual(terminals);
    expect(now.status.state).toBe('ready');

    app.sessions.reload(LAB, withCheck('before'));
    expect(session.snapshot().checks).toMatchObject([{ id: 'before', state: 'passed' }]);
  });

  test('and has an image that was not built fails with a reason, and can be tried again', async () => {
    const unbuilt = defineLab({
      title: 'Unbuilt',
      hosts: { one: { address: '10.0.0.1/24', engine: true, images: ['no:1'] } },
      images: { 'no:1': 'no' },
      browser: 'one',
      sections: [],
    });
    await using app = await openApp({ labs: LABS, mayFail: true });
    app.sessions.reload(LAB, unbuilt);
    const { session } = app.newLearner(LAB);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(started(session)).rejects.toThrow(/no:1 was not built/);
    }
  });
});
