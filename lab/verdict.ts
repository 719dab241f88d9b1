import type { WayOut } from '#protocol';

export type { WayOut };

/**
 * What a check answers. A check that cannot answer throws a {@link CouldNotCheck} instead, and is shown as "could not
 * check".
 */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'not-yet'; readonly reason: string; readonly wayOut?: WayOut };

/**
 * Thrown where there is no answer to be had at the moment. Its message is a sentence for the learner: who does not
 * answer, and why. The check is asked again by itself.
 */
export class CouldNotCheck extends Error {
  override readonly name = 'CouldNotCheck';
}

const PASSED: Verdict = { kind: 'passed' };

/** The step is done. */
export function passed(): Verdict {
  return PASSED;
}

/**
 * The step is not done yet.
 *
 * @param reason one or two plain sentences: what is the case, and what to do
 * @param wayOut the command that mends it, where there is one
 */
export function notYet(reason: string, wayOut?: WayOut): Verdict {
  return wayOut ? { kind: 'not-yet', reason, wayOut } : { kind: 'not-yet', reason };
}
