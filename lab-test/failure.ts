import { ExpectationFailed } from '../client-driver/expectation-failed.ts';

/** What was not as the lab promises, with the place in the lab that it is about. */
export interface Failure {
  /** Which run met it: `as written`, `wrong ways`, `other right ways`, `fifty times` … */
  readonly run: string;
  /** Path of the page below the working directory. */
  readonly file: string;
  readonly line: number;
  /** The step's id. */
  readonly step: string;
  /** What was done in place of the page's own actions, if anything. */
  readonly way: string | undefined;
  readonly expected: string;
  readonly seen: string;
}

/** A failure as one line: page, line and step first, so that it can be clicked. */
export function failureLine(failure: Failure): string {
  const { file, line, step, run, way, expected, seen } = failure;
  const how = way === undefined ? run : `${run}: ${way}`;
  return `${file}:${line} ${step} (${how}): expected ${expected}; seen: ${seen}`;
}

/** What was thrown, as what was expected and seen. */
export function expectationOf(error: unknown): Pick<Failure, 'expected' | 'seen'> {
  if (error instanceof ExpectationFailed) return { expected: error.expected, seen: error.seen };
  return { expected: 'no error', seen: error instanceof Error ? error.message : String(error) };
}
