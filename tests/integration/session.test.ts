import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { check, defineLab, file } from '#lab';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes, Sandbox } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { openRuntime, SMALL_LAB, sessionParts } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);

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
  for (const id of await liveSandboxes(runtime, store.instance)) {
    await new Sandbox(runtime, SMALL_LAB, {
      instance: store.instance,
      sandbox: id,
      session: 'left',
    }).destroy();
  }
  store[Symbol.dispose]();
  await stage?.[Symbol.asyncDispose]();
});

function registry(sandboxesMost = 2): SessionManager {
  const sessions = new SessionManager({
    runtime,
    store,
    labs: LABS,
    sandboxesMost,
    ...sessionParts((message, error) => void logged.push(`${message}: ${error}`)),
  });
  sessions.open();
  return sessions;
}

/** Settles when the learner's session is in that state; a failed one tells why at once. */
async function state(sessions: SessionManager, learner: string, wanted: string): Promise<void> {
  const bell = new EventTarget();
  let now = '';
  using _ = sessions.of(learner, LAB).subscribe((event) => {
    const status =
      event.type === 'status' ? event.status : event.type === 'snapshot' && event.snapshot.status;
    if (!status) return;
    now = status.state === 'failed' ? `failed: ${status.reason}` : status.state;
    bell.dispatchEvent(new Event('change'));
  });
  while (now !== wanted) {
    if (now.startsWith('failed')) throw new Error(now);
    await once(bell, 'change', { signal: AbortSignal.timeout(60_000) });
  }
}

describe('a lab that is written anew while a learner is in it', () => {
  const withCheck = (id: string) =>
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
    const sessions = new SessionManager({
      runtime,
      store,
      labs: new Map([[LAB, withCheck('before')]]),
      sandboxesMost: 2,
      ...sessionParts((message, error) => void logged.push(`${message}: ${error}`)),
    });
    sessions.open();
    const { learner } = store.createLearner();
    const passed = async (id: string) => {
      const tick = Promise.withResolvers<void>();
      using _ = sessions.of(learner, LAB).subscribe((event) => {
        const checks =
          event.type === 'checks'
            ? event.checks
            : event.type === 'snapshot'
              ? event.snapshot.checks
              : [];
        if (checks.some((each) => each.id === id && each.state === 'passed')) tick.resolve();
      });
      await tick.promise;
    };
    sessions.of(learner, LAB).start();
    await passed('before');
    const { terminals } = sessions.of(learner, LAB).snapshot();
    expect(terminals.length).toBe(2);

    sessions.reload(LAB, withCheck('after'));
    await passed('after');
    const now = sessions.of(learner, LAB).snapshot();
    expect(now.checks.map(({ id }) => id)).toEqual(['after']);
    expect(now.terminals).toEqual(terminals);
    expect(now.status.state).toBe('ready');

    sessions.reload(LAB, withCheck('before'));
    expect(sessions.of(learner, LAB).snapshot().checks).toMatchObject([
      { id: 'before', state: 'passed' },
    ]);
    await sessions.close(true);
  });
});

describe('a session', () => {
  let sessions: SessionManager;
  let learner: string;

  test('starts hosts and opens a terminal on each, in the lab’s order', async () => {
    sessions = registry();
    ({ learner } = store.createLearner());
    sessions.of(learner, LAB).start();
    await state(sessions, learner, 'ready');
    const { terminals } = sessions.of(learner, LAB).snapshot();
    expect(terminals.map(({ title }) => title)).toEqual(['server01', 'client']);
  });

  test('is the learner’s alone: another finds neither its terminals nor its pane', () => {
    const [terminal] = sessions.of(learner, LAB).snapshot().terminals;
    const other = store.createLearner().learner;
    expect(sessions.of(other, LAB).snapshot().status).toEqual({ state: 'none' });
    expect(() => sessions.of(other, LAB).terminal(terminal?.id ?? '')).toThrow(/closed/);
    expect(() => sessions.of(other, LAB).openTerminal('server01')).toThrow(/not running/);
  });

  test('waits its turn where the machine has room for no more, and starts when there is', async () => {
    const [second, third, fourth] = [1, 2, 3].map(() => store.createLearner().learner);
    for (const each of [second, third, fourth]) sessions.of(each ?? '', LAB).start();
    expect(sessions.of(third ?? '', LAB).snapshot().status).toMatchObject({
      state: 'queued',
      place: 1,
    });
    expect(sessions.of(fourth ?? '', LAB).snapshot().status).toMatchObject({
      state: 'queued',
      place: 2,
      because: 'full',
    });
    await state(sessions, second ?? '', 'ready');
    // Ending while in the queue is leaving it.
    void sessions.of(third ?? '', LAB).end();
    expect(sessions.of(fourth ?? '', LAB).snapshot().status).toMatchObject({ place: 1 });
    void sessions.of(second ?? '', LAB).end();
    await state(sessions, fourth ?? '', 'ready');
    void sessions.of(fourth ?? '', LAB).end();
    await expect
      .poll(() => liveSandboxes(runtime, store.instance), { timeout: 20_000 })
      .toHaveLength(1);
  });

  test('heals a host that was killed, with its wire, and says so meanwhile', async () => {
    const [client] = await runtime.engine.docker.listContainers({
      filters: { label: [`quayside.instance=${store.instance}`, 'quayside.host=client'] },
    });
    const phases: string[] = [];
    const bell = new EventTarget();
    using _ = sessions.of(learner, LAB).subscribe((event) => {
      if (event.type !== 'status' || event.status.state !== 'ready') return;
      phases.push(event.status.hosts.find(({ name }) => name === 'client')?.phase ?? '');
      bell.dispatchEvent(new Event('change'));
    });
    await runtime.engine.docker.getContainer(client?.Id ?? '').kill();
    while (!(phases.includes('down') && phases.at(-1) === 'ready')) {
      await once(bell, 'change', { signal: AbortSignal.timeout(60_000) });
    }
    const visit = await sessions.of(learner, LAB).visit('http://10.1.10.11:9');
    expect(visit.outcome).toBe('refused');
  });

  test('is reset to fresh hosts, and nothing of the old ones is left', async () => {
    const before = await liveSandboxes(runtime, store.instance);
    await sessions.of(learner, LAB).reset();
    await state(sessions, learner, 'ready');
    await expect
      .poll(() => liveSandboxes(runtime, store.instance), { timeout: 20_000 })
      .toHaveLength(1);
    expect(await liveSandboxes(runtime, store.instance)).not.toEqual(before);
  });

  test('is taken up by the next server, which removes what belongs to nobody', async () => {
    const [kept] = await liveSandboxes(runtime, store.instance);
    const { terminals } = sessions.of(learner, LAB).snapshot();
    await sessions.close(false);
    const orphan = new Sandbox(runtime, SMALL_LAB, {
      instance: store.instance,
      sandbox: 'deadbeef',
      session: 'nobody',
    });
    await orphan.reconcile(() => undefined);
    sessions = registry();
    await state(sessions, learner, 'ready');
    await expect
      .poll(() => liveSandboxes(runtime, store.instance), { timeout: 60_000 })
      .toEqual([kept]);
    expect(sessions.of(learner, LAB).snapshot().terminals).toEqual(terminals);
  });

  test('leaves nothing when the server stops with everything removed', async () => {
    await sessions.close(true);
    expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
    expect(logged).toEqual([]);
  });
});

test('a lab whose image was not built fails with a reason, and can be tried again', async () => {
  const broken = defineLab({
    title: 'Broken',
    hosts: { one: { address: '10.0.0.1/24', engine: true, images: ['no:1'] } },
    images: { 'no:1': 'no' },
    browser: 'one',
    sections: [],
  });
  const sessions = new SessionManager({
    runtime,
    store,
    labs: new Map([[LAB, broken]]),
    sandboxesMost: 1,
    ...sessionParts(() => undefined),
  });
  sessions.open();
  const { learner } = store.createLearner();
  for (let attempt = 0; attempt < 2; attempt++) {
    sessions.of(learner, LAB).start();
    await expect(state(sessions, learner, 'ready')).rejects.toThrow(/no:1 was not built/);
  }
  await sessions.close(true);
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
});
