import { setTimeout as delay } from 'node:timers/promises';
import { QuaysideError } from '../base/errors.ts';

/** A start that failed is tried again by itself after these times; most failures are a machine out of breath. */
const RETRY_AFTER_MS = [1_000, 4_000] as const;
/** Hosts that could not be mended are looked at again after these times, before a running sandbox is given up. */
const MEND_AFTER_MS = [500, 2_000, 5_000] as const;

/** A start that is tried once more. */
export interface NextAttempt {
  readonly afterMs: number;
  /** What the learner is told meanwhile. */
  readonly trouble: string;
}

/** Whether a start that failed is tried again. @param attempt how many starts had failed before it */
export function nextAttempt(attempt: number, error: unknown): NextAttempt | undefined {
  const afterMs = RETRY_AFTER_MS[attempt];
  if (afterMs === undefined) return undefined;
  const trouble = `${messageOf(error)} Trying again (attempt ${attempt + 2} of ${RETRY_AFTER_MS.length + 1}).`;
  return { afterMs, trouble };
}

/** What the learner is told of a start that failed for good. */
export function failureOf(error: unknown): { readonly reason: string; readonly remedy: string } {
  if (error instanceof QuaysideError) return { reason: error.message, remedy: error.remedy };
  return {
    reason: `The hosts could not be started: ${messageOf(error)}`,
    remedy: 'Try again. If it fails again, the server’s log says more.',
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Looks at the hosts until that has mended what was broken.
 *
 * @param look one look, which mends; rejects where it could not
 * @param isVain whether another look would be in vain
 * @throws what the last look did
 */
export async function reconcileWithRetry(
  look: () => Promise<void>,
  isVain: () => Promise<boolean>,
): Promise<void> {
  for (const wait of MEND_AFTER_MS) {
    try {
      return await look();
    } catch (error) {
      if (await isVain()) throw error;
      await delay(wait, undefined, { ref: false });
    }
  }
  await look();
}
