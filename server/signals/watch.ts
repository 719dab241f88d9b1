import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../sandbox/host.ts';
import { DockerSignals } from './docker.ts';
import type { OnSignal } from './on-signal.ts';
import { routeSignals } from './routes.ts';

/** A watcher that lost its host looks for it again after this time; a restart takes about a second. */
const RETRY_MS = 500;

/** What to watch for, and until when. */
export interface Watch {
  readonly onSignal: OnSignal;
  /** What the engine did after this moment is told, also what it did before the watch began (ms since the epoch). */
  readonly since?: number | undefined;
  readonly signal: AbortSignal;
}

/** A host that is being watched. */
export interface Watched {
  /** Settles when everything that the host's engine has said until now is told. */
  told(): Promise<void>;
}

/**
 * Watches one host until aborted: its engine's events and its routes. A watcher whose host or engine goes away comes
 * back with it, says so in a `host` signal, and tells what it missed.
 */
export function watchHost(host: Host, { since = Date.now(), onSignal, signal }: Watch): Watched {
  const say = (change: 'engine-up' | 'engine-down' | 'routes-watched') =>
    onSignal({ kind: 'host', host: host.name, change });
  let watchedBefore = false;
  void keepUp(() => {
    const again = watchedBefore;
    watchedBefore = true;
    return routeSignals(host, onSignal, signal, () => again && say('routes-watched'));
  }, signal);
  if (!host.spec.hasEngine) return { told: async () => undefined };
  const events = new DockerSignals(host, since, onSignal);
  void keepUp(async () => {
    await host.untilEngineAnswers();
    try {
      await events.listen(signal, () => say('engine-up'));
    } finally {
      if (!signal.aborted) say('engine-down');
    }
  }, signal);
  return { told: () => events.told() };
}

async function keepUp(watch: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A watcher ends or fails when its host goes; either way the next one is due as soon as the host is back.
    await watch().catch(() => undefined);
    await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
