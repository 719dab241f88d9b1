import { expect, test } from 'vitest';
import { parseInfo } from '../../../server/engine/info.ts';
import { type Finding, judge } from '../../../server/engine/judge.ts';
import type { EngineLook, MachineLook } from '../../../server/engine/look.ts';
import { lookOf, type RecordedEngine } from '../../fixtures/engines.ts';

const OWN = 'DOCKER_HOST=$(npm run -s engine -- start) npm start';
const OWN_BY_USER = 'sudo DOCKER_HOST=$(sudo npm run -s engine -- start) npm start';

const of = (severity: Finding['severity'], look: EngineLook) =>
  judge(look).filter((each) => each.severity === severity);

/** What a look comes to where the machine is as given. */
const on = (machine: Partial<MachineLook>, info = {}) => {
  const look = lookOf('debian-28', { info });
  if (!look.machine) throw new Error('it has a machine');
  return { ...look, machine: { ...look.machine, ...machine } };
};
const withFeature = (feature: string, state: string) => {
  const { machine } = lookOf('debian-28');
  return on({ features: { ...machine?.features, [feature]: state } as MachineLook['features'] });
};

test.each<RecordedEngine>(['debian-20.10', 'debian-28', 'containerd-28'])(
  'nothing is in the way on %s',
  (name) => {
    const findings = judge(lookOf(name));
    expect(findings.filter(({ severity }) => severity !== 'fine')).toEqual([]);
    expect(findings.length).toBeGreaterThan(5);
  },
);

test.each<[RecordedEngine, string]>([
  ['userns-20.10', 'userns-remap'],
  ['rootless-20.10', 'rootless'],
  ['podman-4.3', 'Podman 4.3.1'],
])('%s is refused, for one reason, with a way that does not change it', (name, why) => {
  const refused = of('refuse', lookOf(name));
  expect(refused).toHaveLength(1);
  expect(refused[0]?.what).toContain(why);
  expect(refused[0]?.remedy).toContain(OWN);
  expect(judge(lookOf(name))[0], 'what refuses is told first').toEqual(refused[0]);
});

test('what root types has no sudo, which a machine may lack; what anybody else does, has', () => {
  const [ofRoot] = of('refuse', lookOf('userns-20.10'));
  expect(ofRoot?.remedy).not.toContain('sudo');
  const [ofUser] = of('refuse', lookOf('userns-20.10', { isRoot: false }));
  expect(ofUser?.remedy).toContain(OWN_BY_USER);
});

test('what Podman leaves out of its answer is no second reason to refuse it', () => {
  const look = lookOf('podman-4.3');
  const silent = { ...look, info: { ...look.info, CpuCfsQuota: false, MemoryLimit: false } };
  expect(judge(silent)).toEqual([expect.objectContaining({ severity: 'refuse' })]);
});

test('containerd’s image store is told apart', () => {
  const storage = (name: RecordedEngine) =>
    judge(lookOf(name)).find(({ what }) => what.startsWith('storage driver'))?.what;
  expect(storage('containerd-28')).toContain('containerd’s image store');
  expect(storage('debian-28')).toContain('Docker’s image store');
});

test.each([
  ['1.40', 1],
  ['1.41', 0],
  ['1.9', 1],
  ['2.0', 0],
  ['', 0],
])('of an engine with API %s, %i refuse it for its age', (apiVersion, refusals) => {
  expect(of('refuse', lookOf('debian-28', { apiVersion }))).toHaveLength(refusals);
});

test('an engine of Windows containers is refused, whatever else it says', () => {
  const refused = of('refuse', lookOf('debian-28', { info: { OSType: 'windows' } }));
  expect(refused.map(({ what }) => what)).toEqual([
    'The engine runs windows containers; hosts are Linux.',
  ]);
});

test('an engine that cannot limit processors makes no host; one that cannot limit memory does', () => {
  expect(of('refuse', lookOf('debian-28', { info: { CpuCfsQuota: false } }))).toHaveLength(1);
  const look = lookOf('debian-28', { info: { MemoryLimit: false, PidsLimit: false } });
  expect(of('refuse', look)).toEqual([]);
  expect(of('warning', look)[0]?.what).toContain('memory and processes');
});

test('an engine that copies is told the driver, and the file systems on which that starts', () => {
  const [copies] = of(
    'warning',
    lookOf('debian-28', { info: { Driver: 'vfs', DriverStatus: null } }),
  );
  expect(copies?.remedy).toMatch(/"storage-driver": "overlay2".*"data-root".*ext4/);
});

test.each([
  ['a runtime of another kind', { DefaultRuntime: 'runsc' }, 'runsc'],
  ['a driver that copies', { Driver: 'vfs', DriverStatus: null }, 'copies'],
  [
    'its own seccomp profile',
    { SecurityOptions: ['name=seccomp,profile=/etc/s.json'] },
    '/etc/s.json',
  ],
  ['a plugin that decides', { Plugins: { Authorization: ['opa'] } }, 'opa'],
])('%s is a warning', (_, info, word) => {
  const look = lookOf('debian-28', { info });
  expect(of('refuse', look)).toEqual([]);
  expect(of('warning', look).map(({ what }) => what)).toEqual([expect.stringContaining(word)]);
});

test('an engine elsewhere, or one of a user who is not root, is used through the docker command', () => {
  for (const look of [{ machine: undefined }, { isRoot: false }]) {
    expect(of('refuse', lookOf('debian-28', look))).toEqual([]);
    expect(of('warning', lookOf('debian-28', look))).toHaveLength(1);
    const without = of('refuse', lookOf('debian-28', { ...look, hasCommand: false }));
    expect(without[0]?.what).toContain('the docker command, which is not installed');
  }
  expect(of('refuse', lookOf('debian-28', { hasCommand: false })), 'root here').toEqual([]);
});

test('a kernel that cannot limit processors is refused, also where the engine believes that it can', () => {
  const [refused] = of('refuse', withFeature('cpu-limit', 'absent'));
  expect(refused?.what).toContain('CFS bandwidth');
  const both = on(
    { features: { 'cpu-limit': 'absent' } as MachineLook['features'] },
    { CpuCfsQuota: false },
  );
  expect(of('refuse', both)).toHaveLength(1);
});

test.each(['overlay', 'veth', 'bridge', 'nftables', 'iptables-nft', 'nat'])(
  'a kernel without %s is refused, and one whose modules are gone is to be booted anew',
  (feature) => {
    expect(of('refuse', withFeature(feature, 'absent'))).toHaveLength(1);
    expect(of('refuse', withFeature(feature, 'file gone'))[0]?.remedy).toContain(': reboot');
    for (const state of ['there', 'loadable', 'unknown']) {
      expect(of('refuse', withFeature(feature, state))).toEqual([]);
    }
  },
);

test('a kernel without IPVS is a warning; where it can be loaded, with how', () => {
  expect(of('warning', withFeature('ipvs', 'absent'))[0]?.remedy).not.toContain('modprobe');
  expect(of('warning', withFeature('ipvs', 'loadable'))[0]?.remedy).toContain('modprobe ip_vs');
});

test('what runs short is a warning with what to type', () => {
  expect(of('warning', on({ freeBytes: 1024 ** 3 }))[0]?.what).toContain('1.0 GiB');
  expect(of('warning', on({ freeBytes: undefined }))).toEqual([]);
  const limits = { inotifyInstances: 64, inotifyWatches: 1, files: 1_000, ownFiles: 256 };
  expect(of('warning', on({ limits })).map(({ remedy }) => remedy)).toEqual([
    expect.stringContaining('fs.inotify.max_user_instances'),
    expect.stringContaining('prlimit --nofile=65536 --pid $$'),
    expect.stringContaining('fs.file-max'),
  ]);
});

test('whatever refuses or warns says what to do', () => {
  const names: RecordedEngine[] = ['userns-20.10', 'rootless-20.10', 'podman-4.3'];
  for (const finding of names.flatMap((name) => judge(lookOf(name, { isRoot: false })))) {
    if (finding.severity !== 'fine') expect(finding.remedy).not.toBe('');
    expect(finding.what).not.toContain('undefined');
  }
});

test('an answer that is none, and one that is not as it should be, are read without harm', () => {
  for (const answer of [undefined, 'no', { NCPU: 'two', DriverStatus: null, SecurityOptions: 5 }]) {
    expect(parseInfo(answer)).toMatchObject({ NCPU: 1, DriverStatus: [], SecurityOptions: [] });
  }
  expect(parseInfo({ SecurityOptions: Array(10_000).fill('x'.repeat(10_000)) })).toMatchObject({
    SecurityOptions: Array(100).fill('x'.repeat(300)),
  });
});
