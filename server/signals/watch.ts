import type { JournalView, SignalBody } from '#lab';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import { linesOf } from '../engine/output-limit.ts';
import type { EngineDown, Host } from '../sandbox/host.ts';
import { DockerSignals, type OnSignal } from './docker.ts';

/** How long after a watcher has ended it is started again. A restart of a host takes about a second. */
const RETRY_MS = 500;
/** A watcher that ends within `LASTED_MS` waits twice as long each time: a learner's program may end it at will. */
const MOST_RETRY_MS = 8_000;
const LASTED_MS = 10_000;
/** A script sets up some ten routes at once. */
const ROUTES_AT_ONCE = 100;
const ROUTES_PER_SECOND = 10;
/** `ip` prints about 80 characters for a route. */
const LONGEST_CHANGE = 300;

/**
 * Prints each change of a route. An engine leaves a process running when its line is closed, and `ip` does not read:
 * socat does, and ends it.
 */
const ROUTES = ['socat', '-', 'EXEC:ip -4 monitor route'];

/** What to watch for, and until when. */
export interface Watch {
  readonly background: Background;
  readonly onSignal: OnSignal;
  /** The host's engine is found not to run: told again and again, until it does. */
  readonly onEngineDown?: (why: EngineDown) => void;
  /** Holds the signals of an earlier server: the engine's events go on after the newest of them. */
  readonly journal?: JournalView;
  /** Where the journal has none: events after this moment are emitted (ms since the epoch). */
  readonly since?: number;
  readonly signal: AbortSignal;
}

/** A host that is being watched. */
export interface Watched {
  /** Settles when all events of the host's engine that have arrived are emitted, or after 25 s. */
  settled(): Promise<void>;
}

/**
 * Watches one host until aborted: its engine's events and its routes. A watcher whose host or engine goes away starts
 * again with it, emits a `host` signal, and emits the events that it missed.
 */
export function watchHost(
  host: Host,
  { background, journal, since = Date.now(), onSignal, onEngineDown, signal }: Watch,
): Watched {
  const emit = background.guard('signal of a host', onSignal);
  const emitChange = (change: 'engine-up' | 'engine-down' | 'routes-watched') =>
    emit({ kind: 'host', host: host.name, change });
  let watchedBefore = false;
  const emitRoute = (change: SignalBody) => {
    emit(change);
    // An engine that somebody on the host has woken makes docker0, whose route is told.
    if (host.isAsleep) background.run('a host’s engine', () => host.noticeWake(signal), signal);
  };
  const watchRoutes = () => {
    const again = watchedBefore;
    watchedBefore = true;
    return routeSignals(host, emitRoute, signal, () => again && emitChange('routes-watched'));
  };
  background.run('watch of routes', () => keepUp(watchRoutes, signal), signal);
  if (!host.spec.hasEngine) return { settled: async () => undefined };
  const known = journal
    ? [...journal.all('container'), ...journal.all('network'), ...journal.all('image')]
    : [];
  const ofHost = known.filter((each) => each.host === host.name);
  const events = new DockerSignals(host, since, emit, ofHost);
  const watchEngine = async () => {
    await host.untilAwake(signal);
    for (let look = RETRY_MS; ; look = Math.min(2 * look, MOST_RETRY_MS)) {
      const down = await host.engineDown(signal, look);
      if (!down) break;
      onEngineDown?.(down);
    }
    if (host.isAsleep) return;
    // What an engine did before it was anybody's is no signal.
    events.skipUntil(await host.awakeSince(signal));
    let isUp = false;
    try {
      await events.listen(signal, () => {
        isUp = true;
        emitChange('engine-up');
      });
    } finally {
      if (isUp && !signal.aborted) emitChange('engine-down');
    }
  };
  background.run('watch of an engine', () => keepUp(watchEngine, signal), signal);
  return { settled: () => events.settled() };
}

/** @throws the signal's reason */
async function keepUp(watch: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let wait = RETRY_MS; ; wait = Math.min(2 * wait, MOST_RETRY_MS)) {
    const began = Date.now();
    // It ends or fails when its host goes away.
    await watch().catch(() => undefined);
    if (Date.now() - began >= LASTED_MS) wait = RETRY_MS;
    await sleep(wait, signal);
  }
}

/**
 * Emits every change of a host's IPv4 routes until the host goes away. It also ends where they change faster than this
 * pace; the changes that have not been read are dropped. `onOpen` is called once it listens.
 */
async function routeSignals(
  host: Host,
  onSignal: OnSignal,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const { budget, name } = host;
  await using monitor = await host.dial(ROUTES, { signal, budget });
  onOpen();
  const pace = new TokenBucket(ROUTES_AT_ONCE, ROUTES_PER_SECOND);
  for await (const line of linesOf(monitor.stream)) {
    if (!pace.take()) return;
    onSignal({ kind: 'route', host: name, change: line.slice(0, LONGEST_CHANGE) });
  }
}
