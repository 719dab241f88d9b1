import { setTimeout as delay } from 'node:timers/promises';
import type { SignalBody } from '#lab';
import type { Host } from '../sandbox/host.ts';
import { dockerSignals } from './docker.ts';
import { routeSignals } from './routes.ts';

/** A watcher that lost its host looks for it again after this time; a restart takes about a second. */
const RETRY_MS = 500;

/** Told of every signal of a host. */
export type OnSignal = (signal: SignalBody) => void;

/**
 * Watches one host until aborted: its engine's events and its routes. A watcher whose host or engine goes away comes
 * back with it, and says so in a `host` signal.
 */
export function watchHost(host: Host, onSignal: OnSignal, signal: AbortSignal): void {
  const say = (change: 'engine-up' | 'engine-down') =>
    onSignal({ kind: 'host', host: host.name, change });
  void keepUp(() => routeSignals(host, onSignal, signal), signal);
  if (!host.spec.hasEngine) return;
  void keepUp(async () => {
    await host.untilEngineAnswers();
    try {
      await dockerSignals(host, onSignal, signal, () => say('engine-up'));
    } finally {
      if (!signal.aborted) say('engine-down');
    }
  }, signal);
}

async function keepUp(watch: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A watcher ends or fails when its host goes; either way the next one is due as soon as the host is back.
    await watch().catch(() => undefined);
    await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
