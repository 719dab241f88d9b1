/** The diagnostics channel on which every answer of a check is told, for whoever counts. */
export const CHECK_RUNS = 'quayside.check-run';

/** What is told: no name, no reason. */
export interface CheckRun {
  /** How it was answered: `passed`, `not-yet`, `unknown` … */
  readonly state: string;
  readonly milliseconds: number;
}
