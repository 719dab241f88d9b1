import { describe, expect, test } from 'vitest';
import { check, defineLab, file, type Lab } from '#lab';
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
