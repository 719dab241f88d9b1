import { formerPorts, type JournalView, type Start, startsOf } from '#lab';
import { NAME, SERVER, WEB } from './myapp2.ts';

/** Every start of myapp2 on server01, oldest first. */
export function myapp2Starts(journal: JournalView): readonly Start[] {
  return startsOf(journal, SERVER, NAME);
}

/** The ports of server01 that led to myapp2 from a start on. */
export function portsOf(start: Start | undefined): readonly number[] {
  return start?.ports[WEB] ?? [];
}

/** The ports that led to myapp2 before its newest start, and no longer do since. */
export function lostPorts(starts: readonly Start[]): readonly number[] {
  const newest = starts.at(-1);
  return newest ? formerPorts(starts, WEB).before(newest) : [];
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
