import type { JournalView } from '#lab';
import { NAME, SERVER, WEB } from './myapp2.ts';

/** One start of myapp2 on server01. */
export interface Start {
  readonly seq: number;
  /** The container's id: one that was removed and made anew has another. */
  readonly id: string;
  /** The same container had been started before: a restart, or a stop and a start. */
  readonly again: boolean;
  /** The ports of server01 that led to it from then on. */
  readonly ports: readonly number[];
}

/** Every start of myapp2 on server01, oldest first, those from before it was given that name included. */
export function startsOf(journal: JournalView): readonly Start[] {
  const signals = journal.all('container').filter((signal) => signal.host === SERVER);
  const lastCalledSo = new Map<string, number>();
  for (const { id, name, seq } of signals) if (name === NAME) lastCalledSo.set(id, seq);
  const seen = new Set<string>();
  return signals
    .filter(({ action }) => action === 'start')
    .filter(({ id, seq }) => seq <= (lastCalledSo.get(id) ?? Number.NEGATIVE_INFINITY))
    .map((signal) => {
      const again = seen.has(signal.id);
      seen.add(signal.id);
      return { seq: signal.seq, id: signal.id, again, ports: signal.ports?.[WEB] ?? [] };
    });
}

/** Whether a myapp2 was removed from server01 after a moment of the journal. */
export function wasRemovedSince(journal: JournalView, seq: number): boolean {
  return journal
    .all('container')
    .some(
      (signal) =>
        signal.seq > seq &&
        signal.host === SERVER &&
        signal.action === 'destroy' &&
        signal.name === NAME,
    );
}

/** The newest start before a moment of the journal. */
export function startBefore(starts: readonly Start[], seq: number): Start | undefined {
  return starts.findLast((start) => start.seq < seq);
}

/** The ports that led to myapp2 before a start, and no longer do since. */
export function portsLostAt(starts: readonly Start[], start: Start): readonly number[] {
  return starts
    .filter((earlier) => earlier.seq < start.seq)
    .flatMap((earlier) => earlier.ports)
    .filter((port) => !start.ports.includes(port));
}
