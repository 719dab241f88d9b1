/** Something that is not as the lab promises. */
export class ExpectationFailed extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string) {
    super(`expected ${expected}; seen: ${seen}`);
    this.name = 'Mismatch';
    this.expected = expected;
    this.seen = seen;
  }
}

/** A mismatch with the place in the lab that it is about. */
export interface Failure {
  /** Which run met it: `as written`, `wrong ways`, `other right ways`, `fifty times` … */
  readonly run: string;
  /** Path of the page below the working directory. */
  readonly file: string;
  readonly line: number;
  /** The step's id. */
  readonly step: string;
  /** The way that was gone, where it is not the page's own. */
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
export function asMismatch(error: unknown): Pick<Failure, 'expected' | 'seen'> {
  if (error instanceof ExpectationFailed) return { expected: error.expected, seen: error.seen };
  return { expected: 'no error', seen: error instanceof Error ? error.message : String(error) };
}
