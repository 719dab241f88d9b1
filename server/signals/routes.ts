import { createInterface } from 'node:readline';
import type { Host } from '../sandbox/host.ts';
import type { OnSignal } from './on-signal.ts';

/** Passes on every change of a host's IPv4 routes until the host goes away. `onOpen` is called once it listens. */
export async function routeSignals(
  host: Host,
  onSignal: OnSignal,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  await using monitor = await host.dial(['ip', '-4', 'monitor', 'route'], { signal });
  onOpen();
  for await (const line of createInterface({ input: monitor.stream })) {
    if (line.trim() !== '') onSignal({ kind: 'route', host: host.name, change: line.trim() });
  }
}
