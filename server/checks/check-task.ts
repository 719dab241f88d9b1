import type { SandboxView, SignalBody } from '#lab';
import { Dependencies, trackDependencies } from './dependencies.ts';
import type { RoundCache } from './read-cache.ts';

/** One look at the sandbox: what is asked twice in it is asked of the hosts once. */
export interface Round {
  readonly view: SandboxView;
  readonly deadline: AbortSignal;
  /** What need not be asked at all. */
  readonly known: RoundCache;
}

/** What one run of a question has: the sandbox to look at, and the note of what it looks at. */
export interface CheckContext {
  readonly view: SandboxView;
  readonly deadline: AbortSignal;
  readonly reads: Dependencies;
}

/**
 * One check or value: it runs once at a time, and knows which signals can change its answer. The run settles to whether
 * there was an answer.
 */
export class CheckTask {
  readonly id: string;
  readonly kind: 'check' | 'value';
  readonly #run: (asking: CheckContext) => Promise<boolean>;
  /** Absent until there was an answer; then every signal may bring one. */
  #reads: Dependencies | undefined;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #missed: (SignalBody | undefined)[] = [];

  constructor(
    id: string,
    kind: 'check' | 'value',
    run: (asking: CheckContext) => Promise<boolean>,
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

  /**
   * Whether to ask because of this signal; `undefined` is for anything. While it runs, the signal waits until the run
   * has shown what it looks at.
   */
  wakes(signal: SignalBody | undefined): boolean {
    if (!this.#running) return this.#touchedBy(signal);
    this.#missed.push(signal);
    return false;
  }

  /** Whether a signal that came during the last run can have changed its answer. Asking forgets. */
  missedSomething(): boolean {
    const missed = this.#missed;
    this.#missed = [];
    return missed.some((signal) => this.#touchedBy(signal));
  }

  /** Settles with an answer that is younger than the call. A round that had to wait is made anew. */
  ask(round: Round, newRound: () => Round): Promise<void> {
    if (!this.#running) return this.#start(round);
    this.#again ??= this.#running.then(() => {
      this.#again = undefined;
      return this.#start(newRound());
    });
    return this.#again;
  }

  #touchedBy(signal: SignalBody | undefined): boolean {
    return !signal || !this.#reads || this.#reads.isInvalidatedBy(signal);
  }

  #start({ view, deadline, known }: Round): Promise<void> {
    const reads = new Dependencies();
    this.#missed = [];
    this.#running = this.#run({ view: trackDependencies(view, reads, known), deadline, reads })
      .then((answered) => {
        this.#reads = answered ? reads : undefined;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
