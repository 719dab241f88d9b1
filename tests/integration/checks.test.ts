import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, check, defineLab, notYet, passed } from '#lab';
import type { CheckView, SessionEvent } from '#protocol';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { destroySandbox, liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { openRuntime, sessionParts } from './stage.ts';

const IMAGE = 'mycontainer:5.6';
const names = ['web', 'brief', 'loop', 'never', 'gone'];
const LAB = defineLab({
  title: 'Checks',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: true, images: [IMAGE] },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'p',
      title: 'P',
      checks: [
        ...names.map((name) =>
          check(`runs-${name}`, {
            title: name,
            test: async ({ host }) =>
              (await host('server01').container(name))?.running
                ? passed()
                : notYet(`No ${name} runs yet.`),
          }),
        ),
        answer('asked', {
          title: 'asked',
          question: 'How many containers are there?',
          judge: async (given, { host }) =>
            Number(given) === (await host('server01').containers()).length
              ? passed()
              : notYet('Another number.'),
        }),
        check('client-route', {
          title: 'route',
          test: async ({ host }) =>
            (await host('client').routes()).some(({ via }) => via === '10.1.10.11')
              ? passed()
              : notYet('No route yet.'),
        }),
      ],
    },
  ],
});

let stage: Awaited<ReturnType<typeof openRuntime>>;
let runtime: SandboxRuntime;
let store: Store;
let sessions: SessionManager;
let learner: string;
const seen: CheckView[] = [];
const bell = new EventTarget();
let status = '';

beforeAll(async () => {
  stage = await openRuntime(new Map([['lab', LAB]]));
  runtime = stage.runtime;
  store = new Store(':memory:');
  sessions = new SessionManager({
    runtime,
    store,
    labs: new Map([['lab', LAB]]),
    sandboxesMost: 1,
    ...sessionParts(() => undefined),
  });
  sessions.open();
  ({ learner } = store.createLearner());
  sessions.of(learner, 'lab').subscribe(hear);
  sessions.of(learner, 'lab').start();
  await until(() => status === 'ready');
  await shows('client-route', { state: 'not-yet' });
});

afterAll(async () => {
  await sessions?.close(true);
  for (const id of await liveSandboxes(runtime, store.instance)) await destroySandbox(runtime, id);
  await stage?.[Symbol.asyncDispose]();
});

function hear(event: SessionEvent): void {
  if (event.type === 'status') status = event.status.state;
  if (event.type === 'snapshot') status = event.snapshot.status.state;
  if (event.type === 'checks') seen.push(...event.checks);
  bell.dispatchEvent(new Event('event'));
}

async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await once(bell, 'event', { signal: AbortSignal.timeout(30_000) });
}

/** Settles once a check looks like that. */
async function shows(id: string, like: Partial<CheckView>): Promise<CheckView> {
  const fits = (view: CheckView | undefined) =>
    view !== undefined &&
    Object.entries(like).every(([key, value]) => Reflect.get(view, key) === value);
  const now = () =>
    sessions
      .of(learner, 'lab')
      .snapshot()
      .checks.find((view) => view.id === id);
  await until(() => fits(now()));
  return now() as CheckView;
}

async function hostContainer(name: string) {
  const [found] = await runtime.engine.docker.listContainers({
    filters: { label: [`quayside.instance=${store.instance}`, `quayside.host=${name}`] },
  });
  return runtime.engine.docker.getContainer(found?.Id ?? '');
}

/** Runs a command on a host, as a learner would type it. */
const type = async (host: string, ...argv: string[]) => {
  const { status: code, stderr } = await runtime.engine.run((await hostContainer(host)).id, argv);
  expect(stderr, argv.join(' ')).toBe('');
  expect(code, argv.join(' ')).toBe(0);
};

/** A page that counts would be told of anything but "not yet". */
const everSaid = (id: string, state: CheckView['state']) =>
  seen.some((view) => view.id === id && view.state === state);

describe('a check', () => {
  test('cannot be asked while its host’s engine hangs, and can once it goes on', async () => {
    await type('server01', 'pkill', '-STOP', '-x', 'dockerd');
    // Nothing tells of an engine that hangs; whoever asks next finds out.
    const view = await sessions.of(learner, 'lab').answer('asked', '0');
    expect(view).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('server01 did not answer within 5 seconds'),
    });
    await type('server01', 'pkill', '-CONT', '-x', 'dockerd');
    await shows('asked', { state: 'passed' });
  });

  test('cannot be asked while its host’s engine is gone, and can when it is back', async () => {
    await type('server01', 'pkill', '-KILL', '-x', 'dockerd');
    const view = await shows('runs-web', { state: 'unknown' });
    expect(view).toMatchObject({
      reason:
        'Could not check: the Docker Engine of server01 does not answer; it may be restarting. It is tried again by itself.',
    });
    await shows('runs-web', { state: 'not-yet' });
  });

  test('cannot be asked while its host is killed, and can when it is back', async () => {
    await (await hostContainer('server01')).kill();
    const view = await shows('runs-web', { state: 'unknown' });
    expect(view).toMatchObject({ reason: expect.stringContaining('server01 is not running') });
    await shows('runs-web', { state: 'not-yet' });
    await until(() => status === 'ready');
  });

  test('never passes on a container that exits after a second', async () => {
    await type('server01', 'docker', 'run', '-d', '--name', 'brief', IMAGE, 'sleep', '1');
    await until(() => seen.some((view) => isAbout(view, 'runs-brief', 'only just started')));
    await shows('runs-brief', { reason: 'No brief runs yet.' } as Partial<CheckView>);
    await type('server01', 'docker', 'wait', 'brief');
    expect(everSaid('runs-brief', 'passed')).toBe(false);
  });

  test('never passes on a container that its restart policy keeps starting', async () => {
    const argv = ['docker', 'run', '-d', '--restart', 'always', '--name', 'loop'];
    await type('server01', ...argv, IMAGE, 'false');
    // Its tenth start is seconds away: Docker doubles the wait each time.
    for (let restarts = 0; restarts < 4; ) {
      await once(bell, 'event', { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
      const { stdout } = await runtime.engine.run((await hostContainer('server01')).id, [
        'docker',
        'inspect',
        '-f',
        '{{.RestartCount}}',
        'loop',
      ]);
      restarts = Number(stdout);
    }
    await type('server01', 'docker', 'rm', '-f', 'loop');
    expect(everSaid('runs-loop', 'passed')).toBe(false);
  });

  test('never passes on a container that was made and not started', async () => {
    await type('server01', 'docker', 'create', '--name', 'never', IMAGE);
    await type('server01', 'docker', 'rename', 'never', 'never2');
    await type('server01', 'docker', 'rename', 'never2', 'never');
    await shows('runs-never', { state: 'not-yet' });
    expect(everSaid('runs-never', 'passed')).toBe(false);
  });

  test('passes at once on the lab’s own program', async () => {
    await type('server01', 'docker', 'run', '-d', '--name', 'web', IMAGE);
    await shows('runs-web', { state: 'passed' });
    expect(seen.some((view) => isAbout(view, 'runs-web', 'only just started'))).toBe(false);
  });

  test('keeps its pass, and says what has become of it', async () => {
    await type('server01', 'docker', 'rm', '-f', 'web');
    await shows('runs-web', { moved: 'No web runs.' } as Partial<CheckView>);
    await type('server01', 'docker', 'run', '-d', '--name', 'web', IMAGE);
    await until(() => !('moved' in (seen.findLast(({ id }) => id === 'runs-web') ?? {})));
    expect(seen.findLast(({ id }) => id === 'runs-web')?.state).toBe('passed');
  });

  test('follows a route that no engine tells of', async () => {
    await type('client', 'ip', 'route', 'add', '172.17.0.0/16', 'via', '10.1.10.11');
    await shows('client-route', { state: 'passed' });
  });
});

function isAbout(view: CheckView, id: string, reason: string): boolean {
  return view.id === id && view.state === 'not-yet' && view.reason.includes(reason);
}
