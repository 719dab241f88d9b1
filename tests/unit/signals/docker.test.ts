import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { SignalBody } from '#lab';
import type { Host } from '../../../server/sandbox/host.ts';
import { DockerSignals } from '../../../server/signals/docker.ts';

const START = {
  Type: 'container',
  Action: 'start',
  Actor: { ID: 'c1', Attributes: { name: 'web', image: 'mycontainer:5.6' } },
  timeNano: 2_000_000_000,
};
const LATER = { ...START, Action: 'kill', timeNano: 3_000_000_000 };

const DETAILS = {
  NetworkSettings: { Ports: { '80/tcp': [{ HostPort: '32768' }] } },
  HostConfig: { NetworkMode: 'default' },
  Config: { Cmd: ['/bin/serve'] },
  State: { Running: true, StartedAt: '1970-01-01T00:00:01Z' },
};

/** A host whose engine has just said that a container started, and takes its time to describe it. */
function slowHost() {
  const asked = Promise.withResolvers<void>();
  const details = Promise.withResolvers<typeof DETAILS>();
  const events = Readable.from([`${JSON.stringify(START)}\n${JSON.stringify(LATER)}\n`]);
  const inspect = () => {
    asked.resolve();
    return details.promise;
  };
  const docker = { getEvents: async () => events, getContainer: () => ({ inspect }) };
  return { host: { name: 'server01', docker } as unknown as Host, asked: asked.promise, details };
}

test('what an engine has said is told only when a start has its details, and all of it then', async () => {
  const { host, asked, details } = slowHost();
  const told: SignalBody[] = [];
  const signals = new DockerSignals(host, 0, (signal) => told.push(signal));
  const listening = signals.listen(new AbortController().signal, () => undefined);
  await asked;
  let isTold = false;
  const waiting = signals.told().then(() => {
    isTold = true;
  });
  await new Promise(setImmediate);
  expect([isTold, told]).toEqual([false, []]);
  details.resolve(DETAILS);
  await waiting;
  expect(told).toMatchObject([
    { action: 'start', ports: { '80/tcp': [32768] }, networkMode: 'bridge' },
    { action: 'kill' },
  ]);
  await listening;
});

test('where nothing is being told, nobody waits', async () => {
  const signals = new DockerSignals(slowHost().host, 0, () => undefined);
  await expect(signals.told()).resolves.toBeUndefined();
});
