import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import type { StoppedBecause, StoredSession } from '../store/stored-session.ts';

/** How often it is looked whether a kept sandbox has to go. Days are counted, and a disk fills in minutes. */
const LOOK_MS = 60_000;

/** How long stopped sandboxes are kept. */
export interface Retention {
  /** After this they are removed; with 0, a limit removes a sandbox in place of stopping it. */
  readonly keepMs: number;
  /** While the engine's disk is fuller than this (percent), the one that was stopped first is removed. */
  readonly fillPercent: number;
}

/** Limits remove what they end. */
export const NOTHING_KEPT: Retention = { keepMs: 0, fillPercent: 100 };

const WHY_STOPPED: Readonly<Record<StoppedBecause, string>> = {
  idle: 'Nothing was done here for a long time, so your hosts were stopped.',
  total: 'The time for this session was over, so your hosts were stopped.',
};

/** What the learner is told of hosts that are stopped and kept. */
export function whyStopped(because: StoppedBecause, until: number): string {
  return `${WHY_STOPPED[because]} They are kept with their files, images and containers until ${day(until)}, or until the server’s disk is nearly full.`;
}

/** What the learner is told of hosts that were removed because they were kept for long enough. */
function whyTooOld(stoppedAt: number): string {
  return `Your hosts had been stopped since ${day(stoppedAt)}, and were removed on ${day(Date.now())}: they are kept no longer than that. Your progress is kept.`;
}

/** The same where the disk had to be made free. */
function whyNoRoom(stoppedAt: number): string {
  return `Your hosts had been stopped since ${day(stoppedAt)}, and were removed on ${day(Date.now())}: the server’s disk was nearly full. Your progress is kept.`;
}

/** `24 November`, as the server's clock has it. */
export function day(at: number): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' }).format(at);
}

export interface RetentionOptions {
  readonly retention: Retention;
  /** Sessions whose sandbox is stopped, the one that was stopped first in front; none that its learner goes on with. */
  readonly stopped: () => readonly StoredSession[];
  /** Removes a session's sandbox; settles when it is gone. */
  readonly remove: (session: StoredSession, reason: string) => Promise<void>;
  /** How full the disk is on which they are kept (percent); `undefined` where that cannot be told. */
  readonly fill: (signal: AbortSignal) => Promise<number | undefined>;
  readonly background: Background;
}

/**
 * Removes stopped sandboxes that have been kept for long enough, and the oldest of them while the disk is too full, until the
 * signal is aborted.
 *
 * @throws the signal's reason
 */
export async function keepWithin(options: RetentionOptions, signal: AbortSignal): Promise<never> {
  for (;;) {
    try {
      await removeOnce(options, signal);
    } catch (error) {
      signal.throwIfAborted();
      options.background.fail('removal of stopped sandboxes', error);
    }
    await sleep(LOOK_MS, signal);
  }
}

async function removeOnce(
  { retention, stopped, remove, fill }: RetentionOptions,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const [oldest] = stopped();
    const at = oldest?.row.stoppedAt;
    if (!oldest || at === undefined) return;
    if (Date.now() >= at + retention.keepMs) {
      await remove(oldest, whyTooOld(at));
      continue;
    }
    const percent = await fill(signal);
    if (percent === undefined || percent < retention.fillPercent) return;
    // Its learner may have come back while the disk was asked.
    if (stopped()[0] === oldest) await remove(oldest, whyNoRoom(at));
  }
}
