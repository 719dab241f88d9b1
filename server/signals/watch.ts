import type { JournalView } from '#lab';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import type { Host } from '../sandbox/host.ts';
import { DockerSignals } from './docker.ts';
import type { OnSignal } from './on-signal.ts';
import { routeSignals } from './routes.ts';

/** A watcher that lost its host looks for it again after this time; a restart takes about a second. */
const RETRY_MS = 500;
/** One that ends again and again within a moment is looked for less often: a learner's program may end it at will. */
const MOST_RETRY_MS = 8_000;
const LASTED_MS = 10_000;

/** What to watch for, and until when. */
export interface Watch {
  readonly background: Background;
  readonly onSignal: OnSignal;
  /** What was told before, by an earlier server perhaps: the engine's events go on where it ends. */
  readonly journal?: JournalView;
  /** Where the journal has none: what the engine did after this moment is told (ms since the epoch). */
  readonly since?: number;
  readonly signal: AbortSignal;
}

/** A host that is being watched. */
export interface Watched {
  /** Settles when everything that the host's engine has said until now is told, or has been waited for long enough. */
  told(): Promise<void>;
}

/**
 * Watches one host until aborted: its engine's events and its routes. A watcher whose host or engine goes away comes
 * back with it, says so in a `host` signal, and tells what it missed.
 */
export function watchHost(
  host: Host,
  { background, journal, since = Date.now(), onSignal, signal }: Watch,
): Watched {
  const tell = background.guard('signal of a host', onSignal);
  const say = (change: 'engine-up' | 'engine-down' | 'routes-watched') =>
    tell({ kind: 'host', host: host.name, change });
  let watchedBefore = false;
  const watchRoutes = () => {
    const again = watchedBefore;
    watchedBefore = true;
    return routeSignals(host, tell, signal, () => again && say('routes-watched'));
  };
  background.run('watch of routes', () => keepUp(watchRoutes, signal), signal);
  if (!host.spec.hasEngine) return { told: async () => undefined };
  const known = journal ? [...journal.all('container'), ...journal.all('network')] : [];
  const ofHost = known.filter((each) => each.host === host.name);
  const events = new DockerSignals(host, since, tell, ofHost);
  const watchEngine = async () => {
    await host.untilEngineAnswers(signal);
    let isUp = false;
    try {
      await events.listen(signal, () => {
        isUp = true;
        say('engine-up');
      });
    } finally {
      if (isUp && !signal.aborted) say('engine-down');
    }
  };
  background.run('watch of an engine', () => keepUp(watchEngine, signal), signal);
  return { told: () => events.told() };
}

/** @throws the signal's reason */
async function keepUp(watch: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let wait = RETRY_MS; ; wait = Math.min(2 * wait, MOST_RETRY_MS)) {
    const began = Date.now();
    // A watcher ends or fails when its host goes; either way the next one is due as soon as the host is back.
    await watch().catch(() => undefined);
    if (Date.now() - began >= LASTED_MS) wait = RETRY_MS;
    await sleep(wait, signal);
  }
}
