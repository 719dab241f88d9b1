import type { JournalView } from '../view.ts';

/** One start of a container. */
export interface Start {
  readonly seq: number;
  /** The container's id: one that was removed and made again has another. */
  readonly id: string;
  /** The same container had been started before: a restart, or a stop and a start. */
  readonly again: boolean;
  /** Container port (`80/tcp`) to the ports of the host that led to it from then on. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
}

/**
 * Every start of a container on a host, oldest first, those from before it was given that name included. Without a name,
 * every start of any.
 *
 * @example startsOf(journal, 'server01', 'web').filter(({ again }) => again)
 */
export function startsOf(
  journal: JournalView,
  host: string,
  name: string | undefined,
): readonly Start[] {
  const signals = journal.all('container').filter((signal) => signal.host === host);
  const lastCalledSo = new Map<string, number>();
  for (const signal of signals) {
    if (name === undefined || signal.name === name) lastCalledSo.set(signal.id, signal.seq);
  }
  const seen = new Set<string>();
  return signals
    .filter(({ action }) => action === 'start')
    .filter(({ id, seq }) => seq <= (lastCalledSo.get(id) ?? Number.NEGATIVE_INFINITY))
    .map(({ seq, id, ports = {} }) => {
      const again = seen.has(id);
      seen.add(id);
      return { seq, id, again, ports };
    });
}

/**
 * The newest start before a moment of the journal. Looks at few of them, so that it can be asked for every visit.
 *
 * @example startBefore(starts, visit.seq)?.ports['80/tcp']
 */
export function startBefore(starts: readonly Start[], seq: number): Start | undefined {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle]?.seq ?? seq) < seq) low = middle + 1;
    else high = middle;
  }
  return starts[low - 1];
}

/**
 * The ports of the host that led to a container's port until a start, and no longer do since, oldest first.
 *
 * @example formerPorts(starts, '80/tcp').before(newest).at(-1)
 */
export function formerPorts(starts: readonly Start[], port: string) {
  const firstHad = new Map<number, number>();
  for (const { seq, ports } of starts) {
    for (const each of ports[port] ?? []) if (!firstHad.has(each)) firstHad.set(each, seq);
  }
  const includes = (start: Start, each: number): boolean =>
    (firstHad.get(each) ?? start.seq) < start.seq && !start.ports[port]?.includes(each);
  return {
    /** Whether a port of the host is one of them. Looks at no other start, so that it can be asked for every visit. */
    includes,
    /** All of them. A port that the container had several times stands where it had it last. */
    before: (start: Start): readonly number[] => {
      const earlier = starts.filter(({ seq }) => seq < start.seq);
      const ports = new Set<number>();
      for (const each of earlier.flatMap((one) => one.ports[port] ?? [])) {
        ports.delete(each);
        ports.add(each);
      }
      return [...ports].filter((each) => includes(start, each));
    },
  };
}
