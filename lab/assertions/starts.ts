import type { JournalView } from '../view.ts';

/** One start of a container. */
export interface Start {
  readonly seq: number;
  /** The container's id: one that was removed and made anew has another. */
  readonly id: string;
  /** The same container had been started before: a restart, or a stop and a start. */
  readonly again: boolean;
  /** Container port (`80/tcp`) to the ports of the host that led to it from then on. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
}

/** Every start of a container on a host, oldest first; with its id, also those from before it was renamed. */
export function startsOf(
  journal: JournalView,
  host: string,
  name: string | undefined,
  id?: string,
): readonly Start[] {
  const seen = new Set<string>();
  return journal
    .all('container')
    .filter((signal) => signal.host === host && signal.action === 'start')
    .filter((signal) => name === undefined || signal.name === name || signal.id === id)
    .map((signal) => {
      const again = seen.has(signal.id);
      seen.add(signal.id);
      return { seq: signal.seq, id: signal.id, again, ports: signal.ports ?? {} };
    });
}

/** The newest start before a moment of the journal. */
export function startBefore(starts: readonly Start[], seq: number): Start | undefined {
  return starts.findLast((start) => start.seq < seq);
}

/** The ports of the host that led to a container's port before a start, and no longer do since. */
export function portsLostAt(
  starts: readonly Start[],
  start: Start,
  port: string,
): readonly number[] {
  return starts
    .filter((earlier) => earlier.seq < start.seq)
    .flatMap((earlier) => earlier.ports[port] ?? [])
    .filter((each) => !start.ports[port]?.includes(each));
}
