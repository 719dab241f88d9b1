import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SignalBody } from '#lab';
import { Background } from '../../../server/base/background.ts';
import type { Host } from '../../../server/sandbox/host.ts';
import { watchHost } from '../../../server/signals/watch.ts';

const stopped = { signal: new AbortController() };
let failures: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  stopped.signal = new AbortController();
  failures = [];
});

afterEach(() => {
  stopped.signal.abort();
  vi.useRealTimers();
});

/** A host without an engine whose `ip monitor` is what `monitor` makes of a stream. */
function plainHost(monitor: (stream: PassThrough, times: number) => void) {
  let times = 0;
  const dial = async (_: readonly string[], { signal }: { readonly signal: AbortSignal }) => {
    const stream = new PassThrough();
    signal.addEventListener('abort', () => stream.destroy());
    monitor(stream, ++times);
    return { stream, [Symbol.asyncDispose]: async () => void stream.destroy() };
  };
  const host = { name: 'client', spec: { hasEngine: false }, dial } as unknown as Host;
  return { host, dialed: () => times };
}

/** A host with an engine whose streams of events are what `events` makes. */
function engineHost(events: (stream: PassThrough, times: number) => void) {
  const { host } = plainHost(() => undefined);
  let times = 0;
  const getEvents = async () => {
    const stream = new PassThrough();
    events(stream, ++times);
    return stream;
  };
  const sleep = { isAsleep: false, untilAwake: async () => undefined, awakeSince: async () => 0 };
  const more = { spec: { hasEngine: true }, engineDown: async () => undefined, ...sleep };
  const whole = { ...host, ...more, docker: { getEvents } } as unknown as Host;
  return { host: whole, listened: () => times };
}

function watching(host: Host, onSignal: (signal: SignalBody) => void = () => undefined) {
  const background = new Background((_, error) => failures.push(error));
  const told: SignalBody[] = [];
  watchHost(host, {
    background,
    onSignal: (signal) => {
      told.push(signal);
      onSignal(signal);
    },
    signal: stopped.signal.signal,
  });
  return { background, told };
}

test('each change of a route is told as it is', async () => {
  const { host } = plainHost((stream) =>
    stream.write('10.0.0.0/8 via 10.1.10.1\n\nDeleted 1.2.3.4\n'),
  );
  const { told } = watching(host);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual([
    { kind: 'route', host: 'client', change: '10.0.0.0/8 via 10.1.10.1' },
    { kind: 'route', host: 'client', change: 'Deleted 1.2.3.4' },
  ]);
});

test('routes that change faster than anybody works are left out, and looked at anew', async () => {
  const flood = 'default via 10.1.10.1\n'.repeat(1_000);
  const { host, dialed } = plainHost((stream) => stream.write(flood));
  const { told } = watching(host);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toHaveLength(100);
  await vi.advanceTimersByTimeAsync(500);
  expect(told[100]).toEqual({ kind: 'host', host: 'client', change: 'routes-watched' });
  await vi.advanceTimersByTimeAsync(600_000);
  // Every 8 s at the most, each time as many as at once.
  expect(dialed()).toBeLessThan(80);
});

test('a watcher that ended after a while is looked for at once', async () => {
  const { host, dialed } = plainHost((stream) => setTimeout(() => stream.end(), 10_000));
  watching(host);
  await vi.advanceTimersByTimeAsync(5 * 10_500);
  expect(dialed()).toBe(6);
});

test('an engine that ends its events again and again is asked less and less, and told of each time', async () => {
  const { host, listened } = engineHost((stream) => stream.end());
  const { told } = watching(host);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(listened()).toBeLessThan(15);
  expect(told.slice(0, 2)).toEqual([
    { kind: 'host', host: 'client', change: 'engine-up' },
    { kind: 'host', host: 'client', change: 'engine-down' },
  ]);
});

test('an engine that was never heard is not told to be down', async () => {
  const { host } = engineHost(() => {
    throw new Error('no such engine');
  });
  const { told } = watching(host);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
});

test('what the journal throws ends no watcher, and is counted', async () => {
  const { host, dialed } = plainHost((stream) => stream.write('one\ntwo\n'));
  const { told } = watching(host, () => {
    throw new Error('the disk is full');
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toHaveLength(2);
  expect(failures).toHaveLength(2);
  expect(dialed()).toBe(1);
});

test('nothing is left of it when it is stopped', async () => {
  const { host } = engineHost((stream) => stream.end());
  const { background } = watching(host);
  await vi.advanceTimersByTimeAsync(100);
  stopped.signal.abort();
  await background.settled();
  expect(vi.getTimerCount()).toBe(0);
  expect(failures).toEqual([]);
});
