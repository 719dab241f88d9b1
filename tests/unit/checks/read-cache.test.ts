import { describe, expect, test } from 'vitest';
import type { ContainerView, HostView, SandboxView, SignalBody } from '#lab';
import { Dependencies } from '../../../server/checks/dependencies.ts';
import { ReadCache, viewThrough } from '../../../server/checks/read-cache.ts';
import { containerSignal, containerView } from './stage.ts';

const IMAGE = { command: ['x'], isLabs: true, labels: {}, layers: [] };

/** A host that counts how often it is asked. */
class Looked {
  asked: string[] = [];
  containers: ContainerView[] = [];
  /** Every image is there, or none. */
  images = true;
  /** Stands before every answer. */
  before: () => Promise<void> = async () => undefined;
  readonly known = new ReadCache();

  /** The host as a question of a new round sees it. */
  get host(): HostView {
    const counted = async <T>(what: string, answer: T): Promise<T> => {
      this.asked.push(what);
      await this.before();
      return answer;
    };
    const host = {
      name: 'one',
      aliases: [],
      hasEngine: true,
      address: '10.0.0.1',
      addresses: ['10.0.0.1'],
      get docker(): HostView['docker'] {
        throw new Error('no test asks the engine itself');
      },
      container: (name: string) =>
        counted(
          `container ${name}`,
          this.containers.find((each) => each.name === name),
        ),
      containers: () => counted('containers', this.containers),
      engineVersion: () => counted('engine’s version', '26.1.5'),
      image: (id: string) => counted(`image ${id}`, this.images ? { ...IMAGE, id } : undefined),
      images: () => counted('images', []),
      imageSteps: (id: string) => counted(`steps of ${id}`, []),
      networks: () => counted('networks', []),
      routes: () => counted('routes', []),
      addressOf: (device: string) => counted(`address ${device}`, undefined),
      firewall: () => counted('firewall', []),
      read: (path: string) => counted(`file ${path}`, ''),
      ask: (words: readonly string[]) => counted(words.join(' '), { status: 0, output: '' }),
      probe: (to: string, port?: number) =>
        counted(`probe ${to} ${port}`, { status: 0, output: '' }),
      script: (lines: string) => counted(`script ${lines}`, { status: 0, output: '' }),
    };
    const sandbox: SandboxView = {
      signal: new AbortController().signal,
      journal: { all: () => [], last: () => undefined },
      host: () => host,
      hosts: [host],
    };
    return viewThrough(this.known.forRound(), sandbox, new Dependencies()).host('one');
  }

  async lookAtAll(): Promise<readonly string[]> {
    this.asked = [];
    const { host } = this;
    await host.container('web');
    await host.containers();
    await host.image('web:1');
    await host.image('sha256:web');
    await host.images();
    await host.imageSteps('sha256:web');
    await host.networks();
    await host.routes();
    await host.addressOf('docker0');
    await host.firewall();
    await host.read('/etc/hosts');
    await host.ask(['ss', '-Hltnp']);
    return this.asked;
  }
}

const ALL = [
  'container web',
  'containers',
  'image web:1',
  'image sha256:web',
  'images',
  'steps of sha256:web',
  'networks',
  'routes',
  'address docker0',
  'firewall',
  'file /etc/hosts',
  'ss -Hltnp',
];
/** An image's id is made of its content, so that no signal but the engine's own return makes it doubtful. */
const ALL_BUT_IDS = ALL.filter((what) => !what.endsWith('sha256:web'));

const imageSignal = (action: string): SignalBody => ({
  kind: 'image',
  host: 'one',
  action,
  id: 'sha256:web',
  name: 'web:1',
});

describe('what a host has said', () => {
  test('is not asked again while no signal touches it', async () => {
    const looked = new Looked();
    expect(await looked.lookAtAll()).toEqual(ALL);
    expect(await looked.lookAtAll()).toEqual([]);
  });

  test.each<[string, SignalBody | undefined, readonly string[]]>([
    [
      'a container that is made',
      containerSignal('one', 'create', 'web'),
      ['container web', 'containers', 'image web:1', 'images'],
    ],
    [
      'a container that starts',
      containerSignal('one', 'start', 'web'),
      [
        'container web',
        'containers',
        'image web:1',
        'images',
        'networks',
        'firewall',
        'file /etc/hosts',
        'ss -Hltnp',
      ],
    ],
    [
      'a network that is made',
      { kind: 'network', host: 'one', action: 'create', id: 'n', name: 'n' },
      [
        'container web',
        'containers',
        'image web:1',
        'images',
        'networks',
        'address docker0',
        'firewall',
        'file /etc/hosts',
      ],
    ],
    ['an image that gets a name', imageSignal('tag'), ['image web:1', 'images']],
    [
      'an image that is removed',
      imageSignal('delete'),
      ['image web:1', 'image sha256:web', 'images', 'steps of sha256:web'],
    ],
    [
      'a route that changes',
      { kind: 'route', host: 'one', change: '' },
      ['routes', 'address docker0', 'file /etc/hosts'],
    ],
    // What sends no event of its own (a volume, a limit) is changed by commands.
    [
      'a command that has finished',
      { kind: 'command', host: 'one', terminal: 't', line: 'x', status: 0 },
      ALL_BUT_IDS,
    ],
    ['a host that comes back', { kind: 'host', host: 'one', change: 'engine-up' }, ALL],
    ['a process in a container', containerSignal('one', 'exec_start', 'web'), []],
    ['another host’s container', containerSignal('two', 'start', 'web'), []],
    ['the slow pass', undefined, ALL_BUT_IDS],
  ])('is asked again after %s', async (_, signal, again) => {
    const looked = new Looked();
    await looked.lookAtAll();
    looked.known.invalidate(signal);
    expect(await looked.lookAtAll()).toEqual(again);
  });

  test('is not taken for news when a signal has overtaken it', async () => {
    const looked = new Looked();
    const gate = Promise.withResolvers<void>();
    looked.before = () => gate.promise;
    const late = looked.host.containers();
    looked.known.invalidate(containerSignal('one', 'create', 'web'));
    looked.containers = [containerView({ name: 'web' })];
    gate.resolve();
    expect(await late).toEqual([]);
    expect(await looked.host.containers()).toHaveLength(1);
  });

  test('is as old as its round, and not kept of one that a signal has overtaken', async () => {
    const looked = new Looked();
    const { host } = looked;
    looked.known.invalidate(containerSignal('one', 'create', 'web'));
    // The round has the list of before, and gives that to whoever asks late.
    await host.containers();
    looked.containers = [containerView({ name: 'web' })];
    expect(await looked.host.containers()).toHaveLength(1);
  });

  test('is asked once in a round, however many checks want it at the same time', async () => {
    const looked = new Looked();
    const { host } = looked;
    await Promise.all([host.containers(), host.containers(), host.routes(), host.routes()]);
    looked.known.invalidate(undefined);
    await host.routes();
    expect(looked.asked).toEqual(['containers', 'routes']);
  });

  test('is the same for all checks, so none can change it for the others', async () => {
    const looked = new Looked();
    looked.containers = [containerView({ name: 'web', ports: { '80/tcp': [8080] } })];
    const [web] = await looked.host.containers();
    expect(() => Object.assign(web ?? {}, { name: '' })).toThrow(TypeError);
    expect(() => Object.assign(web?.ports['80/tcp'] ?? [], { 0: 1 })).toThrow(TypeError);
  });

  test('of an image that is not there yet is asked again', async () => {
    const looked = new Looked();
    looked.images = false;
    expect(await looked.host.image('nginx')).toBeUndefined();
    looked.images = true;
    expect(await looked.host.image('nginx')).toMatchObject({ id: 'nginx' });
  });

  test('does not pile up under ever new names', async () => {
    const looked = new Looked();
    for (let at = 0; at < 1_001; at++) await looked.host.read(`/tmp/${at}`);
    looked.asked = [];
    await looked.host.read('/tmp/1000');
    await looked.host.read('/tmp/0');
    expect(looked.asked).toEqual(['file /tmp/0']);
  });

  test('is asked again where it failed', async () => {
    const looked = new Looked();
    looked.before = () => Promise.reject(new Error('away'));
    await expect(looked.host.routes()).rejects.toThrow('away');
    looked.before = async () => undefined;
    expect(await looked.host.routes()).toEqual([]);
  });

  test('is not kept of a container that may be over in a moment', async () => {
    const looked = new Looked();
    looked.containers = [containerView({ name: 'web', startedAt: Date.now() })];
    await looked.host.container('web');
    looked.containers = [containerView({ name: 'web', running: false })];
    expect(await looked.host.container('web')).toMatchObject({ running: false });
    await looked.host.container('web');
    expect(looked.asked.filter((what) => what === 'container web')).toHaveLength(2);
  });
});

test('a host that is asked with a text in place of a list of words says what to write', async () => {
  const { host } = new Looked();
  const asked = Reflect.apply(host.ask, host, ['stat -Lc %a -- /srv/notes']);
  await expect(asked).rejects.toThrow(
    "ask takes a list of words: ask(['stat', '-Lc', '%a', '--', '/srv/notes'])",
  );
});
