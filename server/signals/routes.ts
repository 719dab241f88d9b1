import { TokenBucket } from '../base/token-bucket.ts';
import { linesOf } from '../engine/lines.ts';
import type { Host } from '../sandbox/host.ts';
import type { OnSignal } from './on-signal.ts';

/** A script sets up some ten routes at once. */
const ROUTES_AT_ONCE = 100;
const ROUTES_PER_SECOND = 10;
/** `ip` prints about 80 characters for a route. */
const LONGEST_CHANGE = 300;

/**
 * Emits every change of a host's IPv4 routes until the host goes away. It also ends where they change faster than this
 * pace; the changes that have not been read are dropped. `onOpen` is called once it listens.
 */
export async function routeSignals(
  host: Host,
  onSignal: OnSignal,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const { budget, name } = host;
  await using monitor = await host.dial(['ip', '-4', 'monitor', 'route'], { signal, budget });
  onOpen();
  const pace = new TokenBucket(ROUTES_AT_ONCE, ROUTES_PER_SECOND);
  for await (const line of linesOf(monitor.stream)) {
    if (!pace.take()) return;
    onSignal({ kind: 'route', host: name, change: line.slice(0, LONGEST_CHANGE) });
  }
}
