import { CouldNotCheck, type Lab, type SandboxView, type SignalBody, type Verdict } from '#lab';
import { withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import { Dependencies, type Dependency } from './dependencies.ts';
import { type RoundCache, viewThrough } from './read-cache.ts';

/** A check takes milliseconds; one that has no answer by now has none to give ("could not check"). */
export const CHECK_DEADLINE_MS = 5_000;

/** A reason is a sentence or two. What is longer repeats what a host has said, which may be megabytes. */
const REASON_CHARACTERS = 2_000;

/** One look at the sandbox: what is asked for twice in it is asked of the hosts once. */
export interface Round {
  readonly view: SandboxView;
  readonly deadline: AbortSignal;
  readonly known: RoundCache;
}

/** What one run of a task has: the sandbox to look at, and the note of what it looks at. */
export interface CheckContext {
  readonly view: SandboxView;
  readonly deadline: AbortSignal;
  readonly reads: Dependencies;
  /** Where an error's stack leads to in the lab. */
  readonly placeIn?: ((stack: string) => string | undefined) | undefined;
}

/**
 * One check or value: it runs once at a time, and knows which signals can change its answer. The run settles to whether
 * there was an answer.
 */
export class CheckTask {
  readonly id: string;
  readonly kind: 'check' | 'value';
  readonly #run: (context: CheckContext) => Promise<boolean>;
  /** Absent until there was an answer; then every signal may bring one. */
  #reads: Dependencies | undefined;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #missed: (SignalBody | undefined)[] = [];

  constructor(
    id: string,
    kind: 'check' | 'value',
    run: (context: CheckContext) => Promise<boolean>,
  ) {
    this.id = id;
    this.kind = kind;
    this.#run = run;
  }

  get running(): Promise<void> | undefined {
    return this.#again ?? this.#running;
  }

  /** The last run brought an answer. */
  get answered(): boolean {
    return this.#reads !== undefined;
  }

  /** Where its last answer came from. */
  get reads(): readonly Dependency[] {
    return this.#reads?.all ?? [];
  }

  /**
   * Whether to run because of this signal; `undefined` stands for anything. While it runs, the signal waits until the
   * run has shown what it looks at.
   */
  wakes(signal: SignalBody | undefined): boolean {
    if (!this.#running) return this.#isInvalidatedBy(signal);
    this.#missed.push(signal);
    return false;
  }

  /** Whether a signal that came during the last run can have changed its answer. A second call says no. */
  missedSomething(): boolean {
    const missed = this.#missed;
    this.#missed = [];
    return missed.some((signal) => this.#isInvalidatedBy(signal));
  }

  /**
   * Settles with an answer that is younger than the call.
   *
   * @param anew called in place of the round where that has to wait for the run under way: it makes a round of its own
   */
  ask(round: Round, anew: () => Promise<void>): Promise<void> {
    if (!this.#running) return this.#start(round);
    const next = (): Promise<void> => {
      this.#again = undefined;
      return anew();
    };
    this.#again ??= this.#running.then(next, next);
    return this.#again;
  }

  #isInvalidatedBy(signal: SignalBody | undefined): boolean {
    return !signal || !this.#reads || this.#reads.isInvalidatedBy(signal);
  }

  #start({ view, deadline, known }: Round): Promise<void> {
    const reads = new Dependencies();
    this.#missed = [];
    this.#running = this.#run({ view: viewThrough(known, view, reads), deadline, reads })
      .then((answered) => {
        this.#reads = answered ? reads : undefined;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}

/** What a check answers, before what is known of earlier passes is looked at. */
export type CheckOutcome =
  | { readonly kind: 'passed' }
  /** It would pass, on a container that may end in a moment. */
  | { readonly kind: 'settling'; readonly container: string; readonly until: number }
  | (Verdict & { readonly kind: 'not-yet' })
  | { readonly kind: 'unknown'; readonly reason: string };

/** Runs a check's test on the sandbox. Never throws: a test that cannot answer is an outcome of its own. */
export async function evaluateCheck(
  check: Lab['checks'][number],
  context: CheckContext,
): Promise<CheckOutcome> {
  const { view, deadline, reads } = context;
  try {
    const verdict = await withAbort(deadline, () => check.test(view));
    if (verdict.kind === 'not-yet') return shortened(verdict);
    const { settling } = reads;
    // What has happened has happened, however short-lived the container that it happened in.
    if (!settling || reads.ofThePast) return verdict;
    return { kind: 'settling', container: settling.name, until: settling.until };
  } catch (error) {
    const reason = cut(`Could not check: ${causeOf(error, context)}`, REASON_CHARACTERS);
    return { kind: 'unknown', reason };
  }
}

function shortened({ reason, fix }: Verdict & { kind: 'not-yet' }): Verdict & { kind: 'not-yet' } {
  const kept = { kind: 'not-yet', reason: cut(reason, REASON_CHARACTERS) } as const;
  // Half a command may do anything.
  return fix && fix.command.length <= REASON_CHARACTERS ? { ...kept, fix } : kept;
}

/** A text, or as much of it as is allowed. */
export function cut(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}

const AGAIN = 'It is tried again by itself.';

/** Why there is no answer, as a sentence for the learner. */
function causeOf(error: unknown, { deadline, reads, placeIn }: CheckContext): string {
  // Read before the signal: a test that failed by itself just before the deadline keeps its own cause.
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
  const place = error instanceof Error ? placeIn?.(error.stack ?? '') : undefined;
  const where = place === undefined ? '' : ` at ${place}`;
  return `the check itself has a defect (${what}${where}). Tell whoever looks after this lab; your work is not at fault.`;
}
