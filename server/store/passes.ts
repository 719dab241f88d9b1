import type { Lab } from '#lab';
import type { CheckView } from '#protocol';
import type { Store } from './store.ts';

/** Which checks of a session are passed, when, and whether by the learner alone. Kept in the store. */
export class Passes {
  readonly #store: Store;
  #times: Map<string, number>;
  /** Of these, those that were not the learner's own work. */
  #assisted: Set<string>;

  constructor(store: Store, session: string) {
    this.#store = store;
    this.#times = new Map(store.passes(session));
    this.#assisted = new Set(store.assisted(session));
  }

  /** Check id to the time it was passed (ms since the epoch). */
  get times(): ReadonlyMap<string, number> {
    return this.#times;
  }

  /** A pass is kept once it happened. */
  add(session: string, check: string, at: number, assisted: boolean): void {
    this.#times.set(check, at);
    if (assisted) this.#assisted.add(check);
    this.#store.addPass(session, check, at, assisted);
  }

  /** The store has forgotten some of them. */
  readAgain(session: string): void {
    this.#times = new Map(this.#store.passes(session));
    this.#assisted = new Set(this.#store.assisted(session));
  }

  /** Says of a check that is passed whether that was the learner's own work. */
  credited(check: CheckView): CheckView {
    return check.state === 'passed' && this.#assisted.has(check.id)
      ? { ...check, assisted: true }
      : check;
  }

  /**
   * All checks of a lab as they stand.
   *
   * @param asked what the hosts have answered
   * @param otherwise why nothing is known of a check that was not asked
   */
  views(lab: Lab, asked: readonly CheckView[], otherwise: string): readonly CheckView[] {
    const answers = new Map(asked.map((check) => [check.id, check]));
    return lab.checks.map(({ id }): CheckView => {
      const known = answers.get(id);
      const passedAt = this.#times.get(id);
      if (passedAt !== undefined && known?.state !== 'passed') {
        return this.credited({ id, state: 'passed', passedAt });
      }
      return this.credited(known ?? { id, state: 'not-yet', reason: otherwise });
    });
  }
}
