import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignalBody } from '#lab';
import { Background } from '../../server/base/background.ts';
import type { Host } from '../../server/sandbox/host.ts';
import { hostView } from '../../server/sandbox/host-view.ts';
import { watchHost } from '../../server/signals/watch.ts';
import { openRuntime, SMALL_LAB, startSandbox } from './stage.ts';

/** A host's engine that nobody uses, and what wakes it. */

const IMAGE = 'mycontainer:5.6';
const ENGINE_PROGRAMS = ['sh', '-c', 'pgrep -x dockerd; pgrep -x containerd; true'];
const NEVER = new AbortController().signal;

let stage: Awaited<ReturnType<typeof openRuntime>>;

beforeAll(async () => {
  stage = await openRuntime();
});
afterAll(() => stage?.[Symbol.asyncDispose]());

async function asleep() {
  const raised = await startSandbox(stage.runtime, stage.instance, SMALL_LAB, 'asleep');
  const host = raised.sandbox.host('server01');
  const types = async (line: string) => {
    const { status, stdout, stderr } = await host.run(['bash', '-c', line], { user: 'learner' });
    return { status, said: (stdout + stderr).trim() };
  };
  return { ...raised, host, types, [Symbol.asyncDispose]: raised[Symbol.asyncDispose] };
}

const programs = async (host: Host) => (await host.run(ENGINE_PROGRAMS)).stdout;

describe('an engine that nobody uses', () => {
  let raised: Awaited<ReturnType<typeof asleep>>;
  beforeAll(async () => {
    raised = await asleep();
  });
  afterAll(() => raised?.[Symbol.asyncDispose]());

  test('is not there, and its service says how it comes', async () => {
    expect(raised.host.isAsleep).toBe(true);
    expect(await programs(raised.host)).toBe('');
    const { status, said } = await raised.types('systemctl status docker');
    expect(status).toBe(3);
    expect(said).toContain('Active: inactive (dead)\nTriggeredBy: ● docker.socket');
  });

  test('answers checks without being woken, as it will answer once it is', async () => {
    const looks = async () => {
      const view = hostView(raised.host, AbortSignal.timeout(60_000));
      return {
        containers: await view.containers(),
        named: await view.container('web'),
        version: await view.engineVersion(),
        networks: (await view.networks())
          .map(({ name, driver, subnets }) => `${name} ${driver} ${subnets}`)
          .sort(),
        images: (await view.images()).map(({ id, names }) => ({ id, names })),
        image: await view.image(IMAGE),
        unknown: await view.image('mycontainer:9'),
        steps: await view.imageSteps(IMAGE),
        volumes: (await view.docker.listVolumes()).Volumes,
      };
    };
    const before = await looks();
    expect(before).toMatchObject({ containers: [], named: undefined, unknown: undefined });
    expect(before.images).toMatchObject([{ names: [IMAGE] }]);
    const view = hostView(raised.host, AbortSignal.timeout(60_000));
    await expect(view.docker.info()).rejects.toThrow('sleeps until somebody uses it');
    await raised.host.noticeWake(NEVER);
    expect(raised.host.isAsleep).toBe(true);
    expect(await programs(raised.host)).toBe('');
    await raised.host.wake(NEVER);
    expect(await looks()).toEqual(before);
  });

  test('sleeps no more once it has run, and has what it had after a restart of its host', async () => {
    expect((await raised.types(`docker run -d --name web --restart always ${IMAGE}`)).status).toBe(
      0,
    );
    await raised.sandbox.restart(raised.host, NEVER);
    await raised.sandbox.reconcile(() => undefined);
    expect(raised.host.isAsleep).toBe(false);
    expect((await raised.types('docker ps --format "{{.Names}}"')).said).toBe('web');
  });
});

test('a host that is restarted before its engine was used sleeps on', async () => {
  await using raised = await asleep();
  await raised.sandbox.restart(raised.host, NEVER);
  await raised.sandbox.reconcile(() => undefined);
  expect(raised.host.isAsleep).toBe(true);
  expect(await programs(raised.host)).toBe('');
});

test.each([
  [
    'a docker command that is piped to',
    `echo from stdin | docker run -i --rm ${IMAGE} cat`,
    'from stdin',
  ],
  ['a start of its service', 'sudo systemctl start docker; systemctl is-active docker', 'active'],
  [
    'a restart of its service',
    'sudo service docker restart > /dev/null; docker images -q | wc -l',
    '1',
  ],
])('%s wakes it', async (_, line, says) => {
  await using raised = await asleep();
  expect((await raised.types(line)).said).toBe(says);
});

test('all who use it first are answered, and none before the lab’s images are there', async () => {
  await using raised = await asleep();
  const list = 'docker images --format "{{.Repository}}:{{.Tag}}"';
  const all = await Promise.all(Array.from({ length: 5 }, () => raised.types(list)));
  expect(all.map(({ said }) => said)).toEqual(Array.from({ length: 5 }, () => IMAGE));
});

test('whoever wakes it on the host is noticed: what they do is a signal, and what its start did is none', async () => {
  await using raised = await asleep();
  const heard: SignalBody[] = [];
  const bell = new EventTarget();
  const closed = new AbortController();
  watchHost(raised.host, {
    background: new Background((_, error) => expect.unreachable(String(error))),
    onSignal: (each) => {
      heard.push(each);
      bell.dispatchEvent(new Event('signal'));
    },
    signal: closed.signal,
  });
  const started = () => heard.some((each) => each.kind === 'container' && each.action === 'start');
  await raised.types(`docker run -d --name web ${IMAGE}`);
  while (!started()) await once(bell, 'signal', { signal: AbortSignal.timeout(90_000) });
  closed.abort();
  expect(heard.filter(({ kind }) => kind === 'image')).toEqual([]);
  expect(heard).toContainEqual({ kind: 'host', host: 'server01', change: 'engine-up' });
});

test('one that cannot start says so, and lets nobody wait for it', async () => {
  await using raised = await asleep();
  await raised.types(`echo '{ "no-such-setting": 1 }' | sudo tee /etc/docker/daemon.json`);
  expect((await raised.types('docker ps')).status).not.toBe(0);
  await raised.host.wake(NEVER);
  expect(await raised.host.engineDown(NEVER)).toMatchObject({ kind: 'failed' });
  expect((await raised.types('docker ps')).said).toContain('Cannot connect to the Docker daemon');
  await raised.types('sudo rm /etc/docker/daemon.json; sudo systemctl restart docker');
  expect((await raised.types('docker images -q | wc -l')).said).toBe('1');
});
