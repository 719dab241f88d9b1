import type { Fix } from '#protocol';

export type { Fix };

/**
 * What a check answers. A check that cannot answer throws a {@link CouldNotCheck} instead, and is shown as "could not
 * check".
 */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'not-yet'; readonly reason: string; readonly fix?: Fix };

/**
 * Thrown where no answer can be had at the moment. Its message is a sentence for the learner: who does not
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
 * @param fix the command that puts it right, where there is one
 */
export function notYet(reason: string, fix?: Fix): Verdict {
  return fix ? { kind: 'not-yet', reason, fix } : { kind: 'not-yet', reason };
}
