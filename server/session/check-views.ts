import type { Lab } from '#lab';
import type { CheckView } from '#protocol';
import type { Pass } from '../store/journal.ts';

type Passes = ReadonlyMap<string, Pass>;

/** Says of a check that is passed whether that was the learner's own work. */
export function credited(check: CheckView, passes: Passes): CheckView {
  return check.state === 'passed' && passes.get(check.id)?.assisted
    ? { ...check, assisted: true }
    : check;
}

/**
 * All checks of a lab as they stand.
 *
 * @param asked what the hosts have answered
 * @param otherwise why nothing is known of a check that was not asked
 */
export function checkViews(
  lab: Lab,
  asked: readonly CheckView[],
  passes: Passes,
  otherwise: string,
): readonly CheckView[] {
  const answers = new Map(asked.map((check) => [check.id, check]));
  return lab.checks.map(({ id }): CheckView => {
    const known = answers.get(id);
    const pass = passes.get(id);
    if (pass && known?.state !== 'passed') {
      return credited({ id, state: 'passed', passedAt: pass.at }, passes);
    }
    return credited(known ?? { id, state: 'not-yet', reason: otherwise }, passes);
  });
}
