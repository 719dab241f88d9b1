import { expect, test } from 'vitest';
import { defineLab, hostNamed } from '#lab';
import { hostOptions } from '../../../server/sandbox/containers.ts';

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
  },
  browser: 'plain',
  sections: [],
});

const optionsOf = (name: string) => {
  const spec = hostNamed(LAB, name);
  if (!spec) throw new Error('the lab has that host');
  const labels = { instance: 'i', sandbox: 's', session: 'x' };
  return hostOptions(labels, 'image', LAB, spec, undefined);
};
const HOSTS = 'QUAYSIDE_HOSTS=10.0.0.1 plain;10.0.0.2 busy';

test('a host that has nothing from the start is made as it was', () => {
  expect(optionsOf('plain').Env).toEqual(['QUAYSIDE_ENGINE=0', HOSTS]);
});

test('a host is told what its lab keeps running, when that may start, and what its engine is set to', () => {
  expect(optionsOf('busy').Env).toEqual([
    'QUAYSIDE_ENGINE=1',
    HOSTS,
    'QUAYSIDE_ENGINE_SETTINGS={"userland-proxy":false}',
    'QUAYSIDE_SERVICES=one sleep 1\ntwo echo "a b"',
    'QUAYSIDE_STEPS=3',
  ]);
});
