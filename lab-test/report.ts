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

  /** @param onFailure told of each failure at once */
  constructor(onFailure: (failure: Failure) => void = () => undefined) {
    this.#onFailure = onFailure;
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
      const line = error instanceof AtLine ? error.line : place.line;
      const cause = error instanceof AtLine ? error.cause : error;
      failure = {
        run,
        file: relative('.', place.file),
        line,
        step: place.id,
        way,
        ...expectationOf(cause),
      };
    }
    const milliseconds = performance.now() - from;
    this.results.push({ run, step: place.id, way, milliseconds, failure });
    if (failure) this.#onFailure(failure);
    return failure === undefined;
  }
}

/** What went wrong at another line than the step's first. */
export class AtLine extends Error {
  readonly line: number;
  constructor(line: number, cause: unknown) {
    super('at a line', { cause });
    this.line = line;
  }
}
