import { expect, test } from 'vitest';
import { CouldNotCheck } from '#lab';
import type { Host } from '../../../server/sandbox/host.ts';
import { hostView } from '../../../server/sandbox/host-view.ts';

const NEVER = new AbortController().signal;
const BUILT = { Id: 'sha256:abc', Created: '2026-01-01T00:00:00Z', Config: { Cmd: ['serve'] } };

/** A host whose engine sleeps. Nothing but what is given here may be asked of it. */
const host = {
  name: 'server01',
  spec: { aliases: [], hasEngine: true, interfaces: [], images: ['web:1'] },
  isAsleep: true,
  availability: NEVER,
  images: new Map([['web:1', 'quayside/web:built']]),
  builtImage: () => ({ inspect: async () => BUILT, history: async () => [{ CreatedBy: 'COPY' }] }),
  installedEngine: async () => '26.1.5+dfsg1',
} as unknown as Host;

test('it has nothing on it but the lab’s images under their names, and the networks of every engine', async () => {
  const view = hostView(host, NEVER);
  expect(await view.containers()).toEqual([]);
  expect(await view.container('web')).toBeUndefined();
  expect((await view.networks()).map(({ name }) => name)).toEqual(['bridge', 'host', 'none']);
  expect((await view.networks())[0]?.subnets).toEqual(['172.17.0.0/16']);
  expect(await view.images()).toMatchObject([{ id: 'sha256:abc', names: ['web:1'] }]);
  expect(await view.image('web:1')).toMatchObject({ id: 'sha256:abc', isLabs: true });
  expect(await view.image('sha256:abc')).toMatchObject({ isLabs: true });
  for (const name of ['web', 'web:2', 'quayside/web:built']) {
    expect(await view.image(name), name).toBeUndefined();
  }
  expect(await view.imageSteps('sha256:abc')).toEqual(['COPY']);
  expect(await view.engineVersion()).toBe('26.1.5');
});

test('where a host has a network near that of docker0, nothing is said of it before the engine has chosen', async () => {
  const spec = { ...host.spec, interfaces: [{ network: '172.17.5.0/24' }] };
  const view = hostView({ ...host, spec } as unknown as Host, NEVER);
  expect((await view.networks()).map(({ subnets }) => subnets)).toEqual([[], [], []]);
});

test('what it can say only when it runs cannot be checked, and is no reason to wake it', async () => {
  const { docker } = hostView(host, NEVER);
  await expect(docker.info()).rejects.toThrow(CouldNotCheck);
  await expect(docker.createContainer({ Image: 'web:1' })).rejects.toThrow('may only read');
});

test('a host that is paused or away is not answered for', async () => {
  const why = new CouldNotCheck('server01 is paused.');
  const away = { ...host, availability: AbortSignal.abort(why) } as unknown as Host;
  await expect(hostView(away, NEVER).containers()).rejects.toThrow('server01 is paused.');
});
