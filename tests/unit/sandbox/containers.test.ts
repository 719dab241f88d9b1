import { expect, test } from 'vitest';
import { defineLab, hostNamed } from '#lab';
import { hostOptions, switchOptions } from '../../../server/sandbox/containers.ts';

const LAB = defineLab({
  title: 'T',
  hosts: {
    plain: { address: '10.0.0.1/24' },
    busy: {
      address: '10.0.0.2/24',
      engine: { 'userland-proxy': false },
      files: [{ from: 'a', to: '/a' }],
      setup: ['true', 'true'],
      services: { one: 'sleep 1', two: 'echo "a b"' },
    },
    router: { address: '10.0.0.3/24', interfaces: ['10.0.9.1/24'], router: true },
    far: { address: '10.0.9.2/24' },
  },
  browser: 'plain',
  sections: [],
});

const optionsOf = (name: string, processors = 2) => {
  const spec = hostNamed(LAB, name);
  if (!spec) throw new Error('the lab has that host');
  const labels = { instance: 'i', sandbox: 's', session: 'x' };
  return hostOptions(labels, 'image', LAB, spec, undefined, { processors, labImages: {} });
};
const HOSTS = 'QUAYSIDE_HOSTS=10.0.0.1 plain;10.0.0.2 busy;10.0.0.3 router;10.0.9.2 far';

test('a host that has nothing from the start is made as it was', () => {
  const { Env, HostConfig } = optionsOf('plain');
  expect(Env).toEqual(['QUAYSIDE_ENGINE=0', HOSTS]);
  expect(HostConfig?.CapAdd).toEqual(['NET_ADMIN']);
});

test('a host that is to reach the internet is told who knows names there', () => {
  const lab = defineLab({
    title: 'T',
    hosts: { one: { address: '10.0.0.1/24', internet: true }, two: { address: '10.0.0.2/24' } },
    browser: 'one',
    sections: [],
  });
  const envOf = (name: string) => {
    const spec = hostNamed(lab, name);
    return (
      spec &&
      hostOptions({ instance: 'i', sandbox: 's', session: 'x' }, 'image', lab, spec, undefined, {
        processors: 2,
        labImages: {},
      }).Env
    );
  };
  const names = 'QUAYSIDE_HOSTS=10.0.0.1 one;10.0.0.2 two';
  expect(envOf('one')).toEqual(['QUAYSIDE_ENGINE=0', names, 'QUAYSIDE_INTERNET=198.18.0.3']);
  expect(envOf('two')).toEqual(['QUAYSIDE_ENGINE=0', names]);
});

test('a host is told what its lab keeps running, when that may start, and what its engine is set to', () => {
  expect(optionsOf('busy').Env).toEqual([
    'QUAYSIDE_ENGINE=1',
    HOSTS,
    'QUAYSIDE_AWAKE=1',
    'QUAYSIDE_ENGINE_SETTINGS={"userland-proxy":false}',
    'QUAYSIDE_SERVICES=one sleep 1\ntwo echo "a b"',
    'QUAYSIDE_STEPS=3',
    'QUAYSIDE_INTERFACES=1',
  ]);
});

test('a router has the rights of a host with an engine, and no room for one', () => {
  const { Env, HostConfig } = optionsOf('router');
  expect(Env).toContain('QUAYSIDE_ROUTER=1');
  expect(HostConfig?.CapAdd).toEqual(optionsOf('busy').HostConfig?.CapAdd);
  expect(HostConfig?.Mounts).toEqual([]);
  expect(HostConfig?.Memory).toBe(optionsOf('plain').HostConfig?.Memory);
});

test('the name of a host stands for its address on a wire that both are on', () => {
  const namesOn = (name: string) =>
    optionsOf(name).Env?.find((each) => each.startsWith('QUAYSIDE_HOSTS'));
  expect(namesOn('plain')).toContain('10.0.0.3 router');
  expect(namesOn('far')).toContain('10.0.9.1 router');
  expect(namesOn('far')).toContain('10.0.0.1 plain');
});

test('a host is none of what the engine confines its containers to', () => {
  expect(optionsOf('plain').HostConfig?.SecurityOpt).toEqual([
    'apparmor=unconfined',
    'label=disable',
    'no-new-privileges=false',
  ]);
});

test.each([
  [1, 1e9],
  [2, 1e9],
  [8, 4e9],
])(
  'a host has half of the processors of an engine that has %i, and one at least',
  (processors, nano) => {
    expect(optionsOf('plain', processors).HostConfig?.NanoCpus).toBe(nano);
  },
);

test('what a container prints is kept within bounds', () => {
  const labels = { instance: 'i', sandbox: 's', session: 'x' };
  for (const { HostConfig } of [optionsOf('plain'), switchOptions(labels, 'image')]) {
    expect(HostConfig?.LogConfig?.Config).toEqual({ 'max-size': '1m', 'max-file': '1' });
  }
});
