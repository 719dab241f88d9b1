/** What a walk through a lab says of checks and of what went wrong. */
import type { Mistake, Verdict } from '#lab';
import type { CheckView } from '#protocol';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import { AtLine } from './report.ts';

/** What went wrong, with what was done before it and may be why. */
export function toldWith(more: readonly string[], error: unknown): unknown {
  const cause = error instanceof AtLine ? error.cause : error;
  if (!(cause instanceof ExpectationFailed) || more.length === 0) return error;
  const told = new ExpectationFailed(cause.expected, [cause.seen, ...more].join('; '), { cause });
  return error instanceof AtLine ? new AtLine(error, told) : told;
}

/** A check that passes before anything was done for it. */
export function passedEarly(id: string): ExpectationFailed {
  return new ExpectationFailed(`${id} not to be passed before its step`, 'passed');
}

/** A check as its page shows it. */
export function shown(view: CheckView): string {
  return view.state === 'passed' ? 'passed' : `${view.state}, “${view.reason}”`;
}

/** Why a check does not pass, if it does not. */
export function reasonOf(verdict: Verdict): string {
  return verdict.kind === 'passed' ? 'passed' : verdict.reason;
}

/** Whether a reason is the one that a mistake is to get. */
export function fits(reason: string, { says }: Mistake): boolean {
  if (typeof says === 'symbol') return false;
  return typeof says === 'string' ? reason.includes(says) : says.test(reason);
}

/** A container that was made again has another port, and says so. */
export function sameButNumbers(a: string, b: string): boolean {
  return a.replaceAll(/\d+/g, '#') === b.replaceAll(/\d+/g, '#');
}

/** What a mistake is to get, as it stands in the lab. */
export function quoted(says: Mistake['says']): string {
  return typeof says === 'string' ? `“${says}”` : String(says);
}
