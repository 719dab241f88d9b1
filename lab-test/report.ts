import { relative } from 'node:path';
import type { Step } from '#steps';
import { expectationOf, type Failure } from './failure.ts';

/** One thing that was tried. */
export interface Result {
  readonly run: string;
  readonly step: string;
  readonly way: string | undefined;
  readonly milliseconds: number;
  readonly failure: Failure | undefined;
}

/** Where in the lab a result belongs: a step, or the lab's own file for what is about all of it. */
export type Place = Pick<Step, 'id' | 'file' | 'line'>;

/** Everything that was tried, in the order in which it ended. */
export class Report {
  readonly results: Result[] = [];
  readonly #onFailure: (failure: Failure) => void;
  readonly #whole: Report | undefined;

  /**
   * @param onFailure told of each failure at once
   * @param whole the report that this one is a part of, and that has its results too
   */
  constructor(onFailure: (failure: Failure) => void = () => undefined, whole?: Report) {
    this.#onFailure = onFailure;
    this.#whole = whole;
  }

  /** What is tried in one sandbox. */
  part(): Report {
    return new Report(undefined, this);
  }

  get failures(): readonly Failure[] {
    return this.results.flatMap(({ failure }) => failure ?? []);
  }

  /** Tries something and notes how it went. `false`: it failed, and is noted so. */
  async attempt(
    run: string,
    place: Place,
    way: string | undefined,
    work: () => Promise<void>,
  ): Promise<boolean> {
    const from = performance.now();
    let failure: Failure | undefined;
    try {
      await work();
    } catch (error) {
      const { file = place.file, line } = error instanceof AtLine ? error : place;
      const cause = error instanceof AtLine ? error.cause : error;
      failure = {
        run,
        file: relative('.', file),
        line,
        step: place.id,
        way,
        ...expectationOf(cause),
      };
    }
    const milliseconds = performance.now() - from;
    this.#note({ run, step: place.id, way, milliseconds, failure });
    return failure === undefined;
  }

  #note(result: Result): void {
    this.results.push(result);
    if (result.failure) this.#onFailure(result.failure);
    if (this.#whole) this.#whole.#note(result);
  }
}

interface Line {
  readonly line: number;
  readonly file?: string | undefined;
}

/** What went wrong at another line than the step's first. */
export class AtLine extends Error {
  readonly line: number;
  /** The file of that line, where it is another than the step's. */
  readonly file: string | undefined;
  constructor({ line, file }: Line, cause: unknown) {
    super('at a line', { cause });
    this.line = line;
    this.file = file;
  }
}
