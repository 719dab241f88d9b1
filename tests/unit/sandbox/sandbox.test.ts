import { afterEach, expect, test, vi } from 'vitest';
import { defineLab } from '#lab';
import { withAbort } from '../../../server/base/deadline.ts';
import type { Engine } from '../../../server/engine/engine.ts';
import { destroySandbox, liveSandboxes } from '../../../server/sandbox/removal.ts';
import type { SandboxRuntime } from '../../../server/sandbox/runtime.ts';
import { Sandbox, SandboxDestroyedError } from '../../../server/sandbox/sandbox.ts';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

const LAB = defineLab({
  title: 'T',
  hosts: { a: { address: '10.0.0.1/24' }, b: { address: '10.0.0.2/24' } },
  browser: 'a',
  sections: [],
});
const LABELS = { instance: 'i', sandbox: 's1', session: 'x' };

interface Container {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  state: 'created' | 'running' | 'paused' | 'exited';
}

/** What each call is given. */
interface Asked {
  readonly abortSignal?: AbortSignal;
}

/** What a list is given: without `all`, it is of those that run. */
interface Listed extends Asked {
  readonly filters: { readonly label: readonly string[] };
  readonly all?: boolean;
}

/**
 * An engine of containers alone. Each call waits for `before`, which a test may hold up or let fail, and is given up with
 * its signal.
 */
function engineOf(before: (call: string) => unknown = () => undefined) {
  const containers = new Map<string, Container>();
  const calls: string[] = [];
  const call = async (name: string, { abortSignal }: Asked = {}) => {
    calls.push(name);
    await withAbort(abortSignal ?? new AbortController().signal, () => before(name));
  };
  const found = (id: string) => {
    const container = containers.get(id);
    if (!container) throw Object.assign(new Error('no such container'), { statusCode: 404 });
    return container;
  };
  const matches = (labels: Container['labels'], wanted: readonly string[]) =>
    wanted.every((label) => {
      const [key = '', value] = label.split('=');
      return value === undefined ? key in labels : labels[key] === value;
    });
  const handle = (id: string) => ({
    id,
    inspect: async (asked: Asked) => {
      await call('inspect', asked);
      const { state } = found(id);
      const Running = state === 'running' || state === 'paused';
      return { State: { Running, Paused: state === 'paused', Pid: 7 } };
    },
    start: async (asked: Asked) => {
      await call(`start ${found(id).name}`, asked);
      found(id).state = 'running';
    },
    stop: async (asked: Asked) => {
      await call(`stop ${found(id).name}`, asked);
      found(id).state = 'exited';
    },
    unpause: async (asked: Asked) => {
      await call('unpause', asked);
      found(id).state = 'running';
    },
    remove: async (asked: Asked & { readonly force?: boolean }) => {
      await call(`remove ${containers.get(id)?.name}`, asked);
      if (containers.get(id)?.state === 'running' && !asked.force) throw new Error('it runs');
      containers.delete(id);
    },
  });
  let made = 0;
  const docker = {
    createContainer: async ({ name, Labels }: { name: string; Labels: Container['labels'] }) => {
      await call('create');
      const id = `c${++made}`;
      containers.set(id, { name, labels: Labels, state: 'created' });
      return handle(id);
    },
    getContainer: handle,
    listContainers: async ({ filters, all, ...asked }: Listed) => {
      await call('list', asked);
      return [...containers]
        .filter(([, { labels }]) => matches(labels, filters.label))
        .filter(([, { state }]) => all || state === 'running' || state === 'paused')
        .map(([Id, { name, labels, state }]) => ({
          Id,
          Names: [`/${name}`],
          Labels: labels,
          State: state,
        }));
    },
    listVolumes: async () => ({ Volumes: [] }),
  };
  const run = async () => {
    await call('run');
    return { status: 0, stdout: '', stderr: '' };
  };
  const runtime: SandboxRuntime = {
    engine: { docker, run, address: 'tcp://fake' } as unknown as Engine,
    processors: 2,
    hostImage: 'h',
    hostImages: {},
    labImages: {},
    imageArchive: async () => Buffer.alloc(0),
    sharedDirectories: {
      of: () => undefined,
      ensure: async () => undefined,
      remove: async () => undefined,
      sandboxes: async () => [],
    },
    links: { link: async () => undefined },
    wakes: new WakeTurns(2),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { runtime, containers, calls };
}

afterEach(() => {
  vi.useRealTimers();
});

const QUIET = () => undefined;

/** The event loop's turn, for what has nothing to wait for. */
const aTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a destroyed sandbox refuses to be made again', async () => {
  const { runtime, containers } = engineOf();
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  expect(containers.size).toBe(3);
  await sandbox.destroy();
  await expect(sandbox.reconcile(QUIET)).rejects.toThrow(SandboxDestroyedError);
  expect(containers.size).toBe(0);
});

test('its removal ends the reconcile under way and those that wait, and nothing is left of them', async () => {
  const creating = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const { runtime, containers } = engineOf((call) => {
    if (call !== 'create') return undefined;
    creating.resolve();
    return answer.promise;
  });
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  const underWay = sandbox.reconcile(QUIET);
  const waiting = sandbox.reconcile(QUIET);
  await creating.promise;
  const removal = sandbox.destroy();
  await expect(underWay).rejects.toThrow(SandboxDestroyedError);
  await expect(waiting).rejects.toThrow(SandboxDestroyedError);
  // The engine is making containers at this moment; whoever removed first would miss them.
  answer.resolve();
  await removal;
  expect(containers.size).toBe(0);
});

test('a removal that failed is done by the next one', async () => {
  let away = false;
  const { runtime, containers } = engineOf((call) => {
    if (away && call === 'list') throw new Error('connect ECONNREFUSED');
  });
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  away = true;
  const given = new AbortController();
  const removal = sandbox.destroy(given.signal);
  await aTurn();
  given.abort(new Error('not now'));
  await expect(removal).rejects.toThrow('not now');
  away = false;
  await sandbox.destroy();
  expect(containers.size).toBe(0);
});

/** Its starts are under way until it answers; it goes on with one that nobody waits for. */
function engineThatStartsLate() {
  const started = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const engine = engineOf((call) => {
    if (!call.startsWith('start')) return undefined;
    started.resolve();
    return answer.promise;
  });
  return { ...engine, started, answer };
}

test('a stop waits for the starts that are under way: nothing runs after it', async () => {
  const { runtime, containers, started, answer } = engineThatStartsLate();
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  const given = new AbortController();
  const underWay = sandbox.reconcile(QUIET, given.signal);
  await started.promise;
  given.abort(new Error('the limit is reached'));
  await expect(underWay).rejects.toThrow('the limit is reached');
  const stopped = sandbox.stop(new AbortController().signal);
  await aTurn();
  answer.resolve();
  await stopped;
  expect([...containers.values()].map(({ state }) => state)).toEqual(Array(3).fill('exited'));
});

test('its signal ends one reconcile; the next takes up what it made', async () => {
  const { runtime, calls, started, answer } = engineThatStartsLate();
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  const given = new AbortController();
  const first = sandbox.reconcile(QUIET, given.signal);
  await started.promise;
  given.abort(new Error('the page was closed'));
  await expect(first).rejects.toThrow('the page was closed');
  answer.resolve();
  await sandbox.reconcile(QUIET);
  expect(calls.filter((call) => call === 'create')).toHaveLength(3);
  expect(sandbox.hosts.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('a switch that cannot be started is made anew, and no host is', async () => {
  const broken = new Set<string>();
  const { runtime, containers, calls } = engineOf((call) => {
    if (broken.has(call)) throw new Error('task c1: already exists');
  });
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  const [theSwitch] = [...containers].filter(([, { name }]) => name.endsWith('switch'));
  if (!theSwitch) throw new Error('a sandbox has a switch');
  for (const container of containers.values()) container.state = 'created';
  broken.add(`start ${theSwitch[1].name}`);
  const before = new Set(containers.keys());
  await expect(sandbox.reconcile(QUIET)).rejects.toThrow('already exists');
  broken.clear();
  await sandbox.reconcile(QUIET);
  expect(calls.filter((call) => call.startsWith('remove'))).toEqual([
    `remove ${theSwitch[1].name}`,
  ]);
  expect([...before].filter((id) => !containers.has(id))).toEqual([theSwitch[0]]);
  expect(containers.size).toBe(3);
});

test('a switch that runs stays where it could not be looked at', async () => {
  let isDeaf = false;
  const { runtime, containers } = engineOf((call) => {
    if (isDeaf && call === 'inspect') throw new Error('the engine could not say');
  });
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  const before = [...containers.keys()];
  isDeaf = true;
  await expect(sandbox.reconcile(QUIET)).rejects.toThrow('could not say');
  isDeaf = false;
  await sandbox.reconcile(QUIET);
  expect([...containers.keys()]).toEqual(before);
});

test('a host that is paused goes on', async () => {
  const { runtime, containers } = engineOf();
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  for (const container of containers.values()) container.state = 'paused';
  await sandbox.reconcile(QUIET);
  expect([...containers.values()].map(({ state }) => state)).toEqual(Array(3).fill('running'));
});

test('one object that cannot be removed keeps none of the others, and is named', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { runtime, containers } = engineOf((call) => {
    if (call === 'remove quayside-s1-a') throw new Error('device or resource busy');
  });
  await new Sandbox(runtime, LAB, LABELS).reconcile(QUIET);
  const removal = destroySandbox(runtime, 's1');
  const told = expect(removal).rejects.toMatchObject({
    message: 'Sandbox s1 could not be removed: quayside-s1-a.',
    cause: { message: 'device or resource busy' },
  });
  await vi.advanceTimersByTimeAsync(20_000);
  await told;
  expect([...containers.values()].map(({ name }) => name)).toEqual(['quayside-s1-a']);
});

test('each host is linked by every interface, on a bridge for each network; first ones first', async () => {
  const { runtime } = engineOf();
  const lab = defineLab({
    title: 'T',
    hosts: {
      router: { address: '10.0.0.1/24', interfaces: ['10.0.9.1/24'] },
      near: { address: '10.0.0.2/24' },
      far: { address: '10.0.9.2/24' },
    },
    browser: 'near',
    sections: [],
  });
  const linked: string[] = [];
  const links: SandboxRuntime['links'] = {
    link: async (_, endpoints) => {
      linked.push(...endpoints.map((each) => `${each.interface} ${each.address} ${each.bridge}`));
    },
  };
  await new Sandbox({ ...runtime, links }, lab, LABELS).reconcile(QUIET);
  expect(linked).toEqual([
    'eth1 10.0.0.1/24 br0',
    'eth1 10.0.0.2/24 br0',
    'eth1 10.0.9.2/24 br1',
    'eth2 10.0.9.1/24 br1',
  ]);
});

test('hosts that have nothing from the start cost what they did: no command, and no call more', async () => {
  const { runtime, calls } = engineOf();
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  await sandbox.reconcile(QUIET);
  const counted = Object.groupBy(calls, (call) => call.split(' ', 1)[0] ?? '');
  const counts = Object.entries(counted).map(([call, all]) => [call, all?.length]);
  expect(Object.fromEntries(counts)).toEqual({ list: 1, create: 3, inspect: 6, start: 3 });
});

test('a host is set up by one command, and never again', async () => {
  const { runtime, calls, containers } = engineOf();
  const lab = defineLab({
    title: 'T',
    hosts: {
      a: { address: '10.0.0.1/24', setup: ['true', 'true'] },
      b: { address: '10.0.0.2/24' },
    },
    browser: 'a',
    sections: [],
  });
  const sandbox = new Sandbox(runtime, lab, LABELS);
  const told: string[] = [];
  await sandbox.reconcile((host, _, detail) => told.push(`${host} ${detail}`));
  expect(told.filter((each) => each.endsWith('being set up'))).toEqual(['a being set up']);
  await sandbox.reconcile(QUIET);
  // A server that comes back asks the host, unless the journal says that its learner has had it.
  await new Sandbox(runtime, lab, LABELS).reconcile(QUIET, undefined, true);
  expect(calls.filter((call) => call === 'run')).toHaveLength(1);
  await new Sandbox(runtime, lab, LABELS).reconcile(QUIET);
  expect(calls.filter((call) => call === 'run')).toHaveLength(2);
  // One that was lost and is made anew is a fresh host.
  const [lost = ''] = [...containers].find(([, { name }]) => name.endsWith('-a')) ?? [];
  containers.delete(lost);
  await sandbox.reconcile(QUIET, undefined, true);
  expect(calls.filter((call) => call === 'run')).toHaveLength(3);
});

test('the sandboxes of a server are those of its instance', async () => {
  const { runtime } = engineOf();
  await new Sandbox(runtime, LAB, LABELS).reconcile(QUIET);
  await new Sandbox(runtime, LAB, { instance: 'j', sandbox: 's2', session: 'y' }).reconcile(QUIET);
  expect(await liveSandboxes(runtime, 'i')).toEqual(['s1']);
});

test('what happened to a host while it was looked at outlasts the look, and the next look mends it', async () => {
  const { runtime } = engineOf();
  const said: string[] = [];
  const sandbox = new Sandbox(runtime, LAB, LABELS);
  const look = () => sandbox.reconcile((...status) => said.push(status.join(' ')));
  await look();
  const host = sandbox.host('b');
  const linking = Promise.withResolvers<void>();
  const isLinking = Promise.withResolvers<void>();
  vi.spyOn(runtime.links, 'link').mockImplementationOnce(() => {
    isLinking.resolve();
    return linking.promise;
  });
  const looked = look();
  await isLinking.promise;
  said.length = 0;
  host.markUnavailable('b is paused.');
  linking.resolve();
  await looked;
  expect(said).toEqual(['a ready ready']);
  expect(host.availability.aborted).toBe(true);
  await look();
  expect(said).toContain('b ready ready');
  expect(host.availability.aborted).toBe(false);
});
