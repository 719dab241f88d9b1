import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignalBody } from '#lab';
import { Background } from '../../server/base/background.ts';
import { publishedPorts } from '../../server/sandbox/host-view.ts';
import { DockerSignals } from '../../server/signals/docker.ts';
import { watchHost } from '../../server/signals/watch.ts';
import { openRuntime, startSandbox } from './stage.ts';

let stage: Awaited<ReturnType<typeof openRuntime>>;
let raised: Awaited<ReturnType<typeof startSandbox>>;
const heard: SignalBody[] = [];
const bell = new EventTarget();
const closed = new AbortController();

/** Settles with the first signal that fits, heard already or still to come. */
async function signal(fits: (signal: SignalBody) => boolean): Promise<SignalBody> {
  for (;;) {
    const found = heard.find(fits);
    if (found) return found;
    await once(bell, 'signal', { signal: AbortSignal.timeout(90_000) });
  }
}

beforeAll(async () => {
  stage = await openRuntime();
  raised = await startSandbox(stage.runtime, stage.instance);
  for (const host of raised.sandbox.hosts) {
    watchHost(host, {
      background: new Background((_, error) => expect.unreachable(String(error))),
      onSignal: (each) => {
        heard.push(each);
        bell.dispatchEvent(new Event('signal'));
      },
      signal: closed.signal,
    });
  }
  await signal(({ kind }) => kind === 'host');
});

afterAll(async () => {
  closed.abort();
  await stage?.[Symbol.asyncDispose]();
});

const learner = (host: string, ...argv: string[]) =>
  raised.sandbox.host(host).run(argv, { user: 'learner' });

describe('signals', () => {
  test('tell of a container’s start with the ports of that very start', async () => {
    await learner(
      'server01',
      'docker',
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      ':80',
      'mycontainer:5.6',
    );
    const start = await signal((each) => each.kind === 'container' && each.action === 'start');
    expect(start).toMatchObject({ host: 'server01', name: 'web', networkMode: 'bridge' });
    expect(start.kind === 'container' && start.ports?.['80/tcp']).toHaveLength(1);
  });

  test('tell of a command run inside a container', async () => {
    await learner('server01', 'docker', 'exec', 'web', 'ls', '/sys/class/net');
    const exec = await signal((each) => each.kind === 'container' && each.action === 'exec_start');
    expect(exec).toMatchObject({ name: 'web', command: 'ls /sys/class/net' });
  });

  test('tell of a restart as die, start and restart, with another port', async () => {
    const from = heard.length;
    await learner('server01', 'docker', 'restart', '-t', '1', 'web');
    await signal((each) => each.kind === 'container' && each.action === 'restart');
    const actions = heard
      .slice(from)
      .flatMap((each) => (each.kind === 'container' ? each.action : []));
    expect(actions).toEqual(expect.arrayContaining(['die', 'start', 'restart']));
    const [before, after] = heard.flatMap((each) =>
      each.kind === 'container' && each.action === 'start' ? [each.ports?.['80/tcp']] : [],
    );
    expect(after).not.toEqual(before);
  });

  test('tell of a network made', async () => {
    await learner('server01', 'docker', 'network', 'create', 'mynet');
    expect(
      await signal((each) => each.kind === 'network' && each.action === 'create'),
    ).toMatchObject({ name: 'mynet' });
  });

  test('tell of a route added on the client', async () => {
    await learner('client', 'route', 'add', '172.17.0.0', 'mask', '255.255.0.0', '10.1.10.11');
    const route = await signal(
      (each) => each.kind === 'route' && each.change.includes('172.17.0.0'),
    );
    expect(route).toMatchObject({ host: 'client' });
  });

  test('tell when a host’s engine goes and comes back, and hear on', async () => {
    await raised.sandbox.host('server01').run(['pkill', '-x', 'dockerd']);
    await signal((each) => each.kind === 'host' && each.change === 'engine-down');
    const before = heard.length;
    await signal(
      (each) =>
        heard.indexOf(each) >= before && each.kind === 'host' && each.change === 'engine-up',
    );
    await learner('server01', 'docker', 'network', 'create', 'again');
    await signal((each) => each.kind === 'network' && each.name === 'again');
  });
});

test('a watch that is given up leaves no process in the host', async () => {
  const host = raised.sandbox.host('client');
  const monitors = async () => (await host.run(['pgrep', '-fc', 'ip -4 monitor route'])).stdout;
  const before = await monitors();
  const stop = new AbortController();
  const background = new Background((_, error) => expect.unreachable(String(error)));
  watchHost(host, { background, onSignal: () => undefined, signal: stop.signal });
  await expect.poll(monitors, { timeout: 60_000 }).not.toBe(before);
  stop.abort();
  await expect.poll(monitors, { timeout: 60_000 }).toBe(before);
});

describe('the events of a host’s engine', () => {
  /** Listens until enough was heard, and then no more. */
  async function listen(events: DockerSignals, enough: () => boolean) {
    const stop = new AbortController();
    const heardAll = (async () => {
      while (!enough()) await once(ring, 'signal', { signal: AbortSignal.timeout(90_000) });
      stop.abort();
    })();
    await events.listen(stop.signal, () => undefined).catch(() => undefined);
    await heardAll;
  }
  const ring = new EventTarget();
  const startsIn = (told: readonly SignalBody[]) =>
    told.filter((each) => each.kind === 'container' && each.action === 'start');

  test('are each told once, in order, also those from while nobody listened', async () => {
    const told: SignalBody[] = [];
    const host = raised.sandbox.host('server01');
    const events = new DockerSignals(host, Date.now(), (each) => {
      told.push(each);
      ring.dispatchEvent(new Event('signal'));
    });
    const named = () =>
      told.flatMap((each) =>
        each.kind === 'network' && each.action === 'create' ? each.name : [],
      );
    const made = (name: string) => learner('server01', 'docker', 'network', 'create', name);
    await made('first');
    await listen(events, () => named().includes('first'));
    await made('second');
    await made('third');
    await listen(events, () => named().includes('third'));
    await made('fourth');
    await listen(events, () => named().includes('fourth'));
    expect(named()).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('never give a start the ports of another one', async () => {
    const since = Date.now();
    await learner(
      'server01',
      'docker',
      'run',
      '-d',
      '--name',
      'quick',
      '-p',
      ':80',
      'mycontainer:5.6',
    );
    await learner('server01', 'docker', 'restart', '-t', '0', 'quick');
    const told: SignalBody[] = [];
    const host = raised.sandbox.host('server01');
    const events = new DockerSignals(host, since, (each) => {
      told.push(each);
      ring.dispatchEvent(new Event('signal'));
    });
    // Both starts are over before anybody listens, so the first one's ports cannot be had any more.
    await listen(events, () => startsIn(told).length === 2);
    const [first, second] = startsIn(told);
    expect(first).not.toHaveProperty('ports');
    const { NetworkSettings } = await host.docker.getContainer('quick').inspect();
    expect(second).toMatchObject({ ports: publishedPorts(NetworkSettings.Ports) });
  });
});
