import { PassThrough, Readable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import type { SignalBody } from '#lab';
import type { Host } from '../../../server/sandbox/host.ts';
import { DockerSignals } from '../../../server/signals/docker.ts';

afterEach(() => {
  vi.useRealTimers();
});

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

const NEVER = new AbortController().signal;
const lines = (...events: readonly object[]) =>
  Readable.from([events.map((event) => `${JSON.stringify(event)}\n`).join('')]);

/** A host whose engine says `events`, and describes a container as `inspect` does. */
function hostOf(events: Readable, inspect: () => Promise<unknown> = async () => DETAILS) {
  const asked: { since?: number }[] = [];
  const docker = {
    getEvents: async (options: { since?: number }) => {
      asked.push(options);
      return events;
    },
    getContainer: () => ({ inspect }),
  };
  return { host: { name: 'server01', docker } as unknown as Host, asked };
}

/** An event that comes again and again, each time a little later. */
function endlessEvents(event = START) {
  let said = 0;
  const events = new Readable({
    highWaterMark: 1024,
    read() {
      said++;
      this.push(`${JSON.stringify({ ...event, timeNano: 4e9 + said * 1e3 })}\n`);
    },
  });
  return { events, said: () => said };
}

/** A host whose engine has just said that a container started, and takes its time to describe it. */
function slowHost() {
  const asked = Promise.withResolvers<void>();
  const details = Promise.withResolvers<typeof DETAILS>();
  const { host } = hostOf(lines(START, LATER), () => {
    asked.resolve();
    return details.promise;
  });
  return { host, asked: asked.promise, details };
}

test('what an engine has said is told only when a start has its details, and all of it then', async () => {
  const { host, asked, details } = slowHost();
  const told: SignalBody[] = [];
  const signals = new DockerSignals(host, 0, (signal) => told.push(signal));
  const listening = signals.listen(NEVER, () => undefined);
  await asked;
  let isTold = false;
  const waiting = signals.settled().then(() => {
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
  await expect(signals.settled()).resolves.toBeUndefined();
});

test('details that never come are given up, and an engine that never stops is not waited for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const { host } = hostOf(endlessEvents().events, () => new Promise(() => undefined));
  const told: SignalBody[] = [];
  const signals = new DockerSignals(host, 0, (signal) => told.push(signal));
  const stopped = new AbortController();
  const listening = signals.listen(stopped.signal, () => undefined);
  await vi.advanceTimersByTimeAsync(0);
  const waiting = signals.settled();
  await vi.advanceTimersByTimeAsync(25_000);
  await waiting;
  expect(told).toMatchObject([{ action: 'start' }]);
  expect(told[0]).not.toHaveProperty('ports');
  stopped.abort(new Error('enough'));
  await expect(listening).rejects.toThrow('enough');
});

test('a server that comes back goes on after the last event that was told, whatever else was journalled since', async () => {
  const created = { ...START, Action: 'create', timeNano: 1_999_000_000 };
  const unheard = { ...START, Action: 'die', timeNano: 2_000_400_000 };
  const first = hostOf(lines(created, START));
  const journal: (SignalBody & { seq: number; at: number })[] = [];
  const before = new DockerSignals(first.host, 0, (signal) =>
    journal.push({ ...signal, seq: 1, at: 2_050 }),
  );
  await before.listen(NEVER, () => undefined);
  // The container died at 2,000.4 ms. The server was killed before it heard, and at 2,060 ms it had journalled a visit.
  const known = journal.flatMap((each) => (each.kind === 'container' ? each : []));
  const { host, asked } = hostOf(lines(START, unheard, LATER));
  const told: SignalBody[] = [];
  const after = new DockerSignals(host, 2_060, (signal) => told.push(signal), known);
  await after.listen(NEVER, () => undefined);
  expect(asked).toMatchObject([{ since: 2 }]);
  expect(told).toMatchObject([{ action: 'die' }, { action: 'kill' }]);
});

test('a journal of an older server, without the engine’s own times, goes on where it was written', () => {
  const { host } = hostOf(lines());
  const known = {
    kind: 'network' as const,
    host: 'server01',
    action: 'create',
    id: 'n',
    name: 'n',
  };
  const signals = new DockerSignals(host, 7, () => undefined, [{ ...known, at: 4_000 }]);
  return expect(signals.listen(NEVER, () => undefined)).resolves.toBeUndefined();
});

test('events that come without end are told at a person’s pace, and read no faster', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const { events, said } = endlessEvents(LATER);
  const { host } = hostOf(events);
  let told = 0;
  const stopped = new AbortController();
  const listening = new DockerSignals(host, 0, () => told++).listen(
    stopped.signal,
    () => undefined,
  );
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toBe(200);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toBe(300);
  expect(said()).toBeLessThan(350);
  stopped.abort(new Error('enough'));
  await expect(listening).rejects.toThrow('enough');
});

test('nothing that an engine says is kept at any length, or as anything but text', async () => {
  const long = 'x'.repeat(50_000);
  const events = new PassThrough();
  const Actor = { ID: { not: 'a text' }, Attributes: { name: long, image: long } };
  events.end(`${JSON.stringify({ ...LATER, Action: `exec_start: ${long}`, Actor })}\n`);
  const told: SignalBody[] = [];
  await new DockerSignals(hostOf(events).host, 0, (signal) => told.push(signal)).listen(
    NEVER,
    () => undefined,
  );
  expect(told).toMatchObject([{ action: 'exec_start', id: '' }]);
  expect(JSON.stringify(told).length).toBeLessThan(3_000);
});

test('what was run by docker exec is told apart, with how it ended', async () => {
  const told: SignalBody[] = [];
  const Actor = { ID: 'c1', Attributes: { name: 'web', execID: 'e1' } };
  const ended = { ...Actor, Attributes: { ...Actor.Attributes, exitCode: '2' } };
  const started = { ...LATER, Action: 'exec_start: ping web2', Actor };
  const died = { ...LATER, Action: 'exec_die', Actor: ended, timeNano: 4_000_000_000 };
  const { host } = hostOf(lines(started, died));
  await new DockerSignals(host, 0, (signal) => told.push(signal)).listen(NEVER, () => undefined);
  expect(told).toMatchObject([
    { action: 'exec_start', exec: 'e1', command: 'ping web2' },
    { action: 'exec_die', exec: 'e1', status: 2 },
  ]);
});

test('an image that gets a name, loses it or is fetched is told, and one that is only saved is not', async () => {
  const image = (Action: string, at: number, ID: string, name: string) => ({
    Type: 'image',
    Action,
    Actor: { ID, Attributes: { name, version: '1' } },
    timeNano: at * 1e6,
  });
  const told: SignalBody[] = [];
  const { host, asked } = hostOf(
    lines(
      image('tag', 1, 'sha256:1', 'web:1'),
      image('save', 2, 'sha256:1', 'sha256:1'),
      image('pull', 3, 'web:2', 'web'),
      image('untag', 4, 'sha256:1', 'sha256:1'),
    ),
  );
  await new DockerSignals(host, 0, (signal) => told.push(signal)).listen(NEVER, () => undefined);
  expect(asked).toMatchObject([{ filters: { type: ['container', 'network', 'image'] } }]);
  expect(told).toEqual([
    { kind: 'image', host: 'server01', action: 'tag', id: 'sha256:1', name: 'web:1', engineAt: 1 },
    { kind: 'image', host: 'server01', action: 'pull', id: 'web:2', name: 'web', engineAt: 3 },
    expect.objectContaining({ action: 'untag' }),
  ]);
});

test('a start whose details make no sense is told without them', async () => {
  const told: SignalBody[] = [];
  const { host } = hostOf(lines(START), async () => ({ NetworkSettings: null }));
  await new DockerSignals(host, 0, (signal) => told.push(signal)).listen(NEVER, () => undefined);
  expect(told).toEqual([
    {
      kind: 'container',
      host: 'server01',
      action: 'start',
      id: 'c1',
      name: 'web',
      image: 'mycontainer:5.6',
      engineAt: 2_000,
    },
  ]);
});
