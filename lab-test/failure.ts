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

/** That something failed, at once and in few words: the table says the rest. */
export function failureHead({ file, line, step, run, way }: Failure): string {
  return `${file}:${line} ${step} (${way === undefined ? run : `${run}: ${way}`}) failed`;
}

/** Failures as lines, each cause once: what several runs met in the same place, and saw alike, is one line with all of them. */
export function failureLines(failures: readonly Failure[]): readonly string[] {
  const byCause = Map.groupBy(failures, ({ run: _, ...cause }) => JSON.stringify(cause));
  return [...byCause.values()].flatMap(([first, ...same]) => {
    if (first === undefined) return [];
    const runs = new Set([first, ...same].map(({ run }) => run));
    return `✗ ${failureLine({ ...first, run: [...runs].join(', ') })}`;
  });
}

/** What was thrown, as what was expected and seen. */
export function expectationOf(error: unknown): Pick<Failure, 'expected' | 'seen'> {
  if (error instanceof ExpectationFailed) return { expected: error.expected, seen: error.seen };
  return { expected: 'no error', seen: error instanceof Error ? error.message : String(error) };
}
