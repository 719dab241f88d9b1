import { CouldNotCheck, type Lab } from '#lab';
import { withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { CheckContext } from './check-task.ts';

/** A question takes milliseconds; one that has no answer by now has none to give ("could not check"). */
export const CHECK_DEADLINE_MS = 5_000;

/** What a check says, before what is known of earlier passes is looked at. */
export type CheckOutcome =
  | { readonly kind: 'passed' }
  /** It would pass, on a container that may be over in a moment. */
  | { readonly kind: 'settling'; readonly container: string; readonly until: number }
  | Extract<Awaited<ReturnType<Lab['checks'][number]['test']>>, { kind: 'not-yet' }>
  | { readonly kind: 'unknown'; readonly reason: string };

/** Puts a check's question to the sandbox. Never throws: what cannot be answered is an answer of its own. */
export async function evaluateCheck(
  check: Lab['checks'][number],
  asking: CheckContext,
): Promise<CheckOutcome> {
  const { view, deadline, reads } = asking;
  try {
    const verdict = await withAbort(deadline, () => check.test(view));
    if (verdict.kind !== 'passed') return verdict;
    const { settling } = reads;
    // What has happened has happened, however short-lived the container that it happened in.
    if (!settling || reads.ofThePast) return verdict;
    return { kind: 'settling', container: settling.name, until: settling.until };
  } catch (error) {
    return { kind: 'unknown', reason: `Could not check: ${causeOf(error, asking)}` };
  }
}

const AGAIN = 'It is tried again by itself.';

/** Why there is no answer, as a sentence for the learner. */
function causeOf(error: unknown, { deadline, reads }: CheckContext): string {
  // Read before the signal: a question that failed by itself just before the deadline keeps its own cause.
  if (error instanceof CouldNotCheck) return `${error.message} ${AGAIN}`;
  if (deadline.aborted) {
    const seconds = CHECK_DEADLINE_MS / 1000;
    const silent = reads.unanswered.join(' and ');
    return silent
      ? `${silent} did not answer within ${seconds} seconds. ${AGAIN}`
      : `it took longer than ${seconds} seconds. ${AGAIN}`;
  }
  if (error instanceof QuaysideError) return `${error.message} ${AGAIN}`;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `the check itself has a defect (${what}). Tell whoever looks after this lab; your work is not at fault.`;
}
