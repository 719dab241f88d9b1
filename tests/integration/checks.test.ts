import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, check, defineLab, notYet, passed } from '#lab';
import type { CheckView } from '#protocol';
import { Changes } from '../../client-driver/changes.ts';
import { openApp, started, type TestApp, type TestLearner, untilReady } from './stage.ts';

const IMAGE = 'mycontainer:5.6';
const names = ['web', 'brief', 'loop', 'never', 'gone'];
const LAB = defineLab({
  title: 'Checks',
  hosts: {
    // Awake: it is stopped and killed before anybody uses it.
    server01: { address: '10.1.10.11/24', engine: { awake: true }, images: [IMAGE] },
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
          judge: async (given, { host }) => {
            // An image that is not there is never remembered: the engine is asked each time.
            await host('server01').image('never:1');
            return Number(given) === (await host('server01').containers()).length
              ? passed()
              : notYet('Another number.');
          },
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

let app: TestApp;
let learner: TestLearner;
const seen: CheckView[] = [];
const changes = new Changes();

beforeAll(async () => {
  app = await openApp({ labs: new Map([['lab', LAB]]), sandboxes: 1, mayFail: true });
  learner = app.newLearner('lab');
  learner.session.subscribe((event) => {
    if (event.type === 'checks') seen.push(...event.checks);
    changes.emit();
  });
  await started(learner.session);
  await shows('client-route', { state: 'not-yet' });
});

afterAll(() => app?.[Symbol.asyncDispose]());

/** Settles when something that the session tells makes it so. */
function until(what: string, isSo: () => boolean): Promise<boolean> {
  const seenLast = () => JSON.stringify(seen.slice(-5));
  return changes.until({ ms: 60_000, what, look: isSo, seen: seenLast });
}

/** Settles once a check looks like that. */
async function shows(id: string, like: Partial<CheckView>): Promise<CheckView> {
  const now = () => learner.session.snapshot().checks.find((view) => view.id === id);
  const fits = (view: CheckView | undefined) =>
    view !== undefined &&
    Object.entries(like).every(([key, value]) => Reflect.get(view, key) === value);
  await until(`${id} to be ${JSON.stringify(like)}`, () => fits(now()));
  return now() as CheckView;
}

async function hostContainer(name: string) {
  const { sandbox } = app.store.session(learner.id, 'lab').row;
  const id = await app.container(sandbox, `quayside.host=${name}`);
  return app.runtime.engine.docker.getContainer(id);
}

/** Runs a command on a host, as a learner would type it. */
const type = async (host: string, ...argv: string[]) => {
  const { id } = await hostContainer(host);
  const { status: code, stderr } = await app.runtime.engine.run(id, argv);
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
    const view = await learner.session.answer('asked', '0');
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

  test('can be asked when its host’s containerd was killed, and containers start again', async () => {
    await type('server01', 'pkill', '-KILL', '-x', 'containerd');
    const { id } = await hostContainer('server01');
    const starts = async () =>
      (await app.runtime.engine.run(id, ['docker', 'run', '--rm', IMAGE, 'true'])).status;
    await expect.poll(starts, { timeout: 60_000 }).toBe(0);
    await shows('runs-web', { state: 'not-yet' });
  });

  test('cannot be asked while its host is killed, and can when it is back', async () => {
    await (await hostContainer('server01')).kill();
    const view = await shows('runs-web', { state: 'unknown' });
    expect(view).toMatchObject({ reason: expect.stringContaining('server01 is not running') });
    await shows('runs-web', { state: 'not-yet' });
    await untilReady(learner.session);
  });

  test('never passes on a container that exits after a second', async () => {
    await type('server01', 'docker', 'run', '-d', '--name', 'brief', IMAGE, 'sleep', '1');
    await until('the container to have only just started', () =>
      seen.some((view) => isAbout(view, 'runs-brief', 'only just started')),
    );
    await shows('runs-brief', { reason: 'No brief runs yet.' } as Partial<CheckView>);
    await type('server01', 'docker', 'wait', 'brief');
    expect(everSaid('runs-brief', 'passed')).toBe(false);
  });

  test('never passes on a container that its restart policy keeps starting', async () => {
    const argv = ['docker', 'run', '-d', '--restart', 'always', '--name', 'loop'];
    await type('server01', ...argv, IMAGE, 'false');
    // Its tenth start is seconds away: Docker doubles the wait each time.
    const { id } = await hostContainer('server01');
    const restarts = async () => {
      const count = ['docker', 'inspect', '-f', '{{.RestartCount}}', 'loop'];
      return Number((await app.runtime.engine.run(id, count)).stdout);
    };
    await expect.poll(restarts).toBeGreaterThanOrEqual(4);
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
    const run = ['docker', 'run', '-d', '--name', 'gone', IMAGE];
    await type('server01', ...run);
    await shows('runs-gone', { state: 'passed' });
    await type('server01', 'docker', 'rm', '-f', 'gone');
    await shows('runs-gone', { moved: 'No gone runs.' } as Partial<CheckView>);
    await type('server01', ...run);
    const last = () => seen.findLast(({ id }) => id === 'runs-gone');
    await until('the container to be there again', () => !('moved' in (last() ?? {})));
    expect(last()?.state).toBe('passed');
  });

  test('follows a route that no engine tells of', async () => {
    await type('client', 'ip', 'route', 'add', '172.17.0.0/16', 'via', '10.1.10.11');
    await shows('client-route', { state: 'passed' });
  });
});

function isAbout(view: CheckView, id: string, reason: string): boolean {
  return view.id === id && view.state === 'not-yet' && view.reason.includes(reason);
}
