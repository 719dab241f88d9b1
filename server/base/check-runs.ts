/** The diagnostics channel of every answer of a check. The metrics count them. */
export const CHECK_RUNS = 'quayside.check-run';

/** One answer, without the check's name and its reason. */
export interface CheckRun {
  /** The answer: `passed`, `not-yet`, `unknown` … */
  readonly state: string;
  readonly milliseconds: number;
}
