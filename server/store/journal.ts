import type { JournalView, Signal, SignalBody, SignalKind, SignalOf } from '#lab';
import type { Store } from './store.ts';

/** Checks look at a learner's last hour or two of work: a few hundred signals. Ten times that is plenty. */
const SIGNALS_KEPT = 5_000;
/** Dropping is done in strokes, not one by one. */
const DROPPED_AT_ONCE = 500;

/** The ordered, stored record of a session's signals. */
export class Journal implements JournalView {
  readonly #store: Store;
  readonly #session: string;
  #signals: Signal[];
  readonly #passes = new Map<string, SignalOf<'pass'>['about']>();

  constructor(store: Store, session: string) {
    this.#store = store;
    this.#session = session;
    this.#signals = [...store.signals(session)];
    for (const { check, about } of this.all('pass')) this.#passes.set(check, about);
  }

  /** When the last signal came (ms since the epoch); `undefined` where there was none. */
  get lastAt(): number | undefined {
    return this.#signals.at(-1)?.at;
  }

  /** The checks that were passed on these hosts, and what each pass speaks of. */
  get passes(): ReadonlyMap<string, SignalOf<'pass'>['about']> {
    return this.#passes;
  }

  /** Gives a signal its place and time, and keeps it. */
  add(body: SignalBody): Signal {
    const signal: Signal = { ...body, seq: (this.#signals.at(-1)?.seq ?? 0) + 1, at: Date.now() };
    this.#store.addSignal(this.#session, signal);
    this.#signals.push(signal);
    if (body.kind === 'pass') this.#passes.set(body.check, body.about);
    if (this.#signals.length > SIGNALS_KEPT + DROPPED_AT_ONCE) {
      this.#signals = this.#signals.slice(-SIGNALS_KEPT);
      this.#store.dropSignalsBefore(this.#session, this.#signals[0]?.seq ?? 0);
    }
    return signal;
  }

  all<K extends SignalKind>(kind: K): readonly SignalOf<K>[] {
    return this.#signals.filter((signal): signal is SignalOf<K> => signal.kind === kind);
  }

  last<K extends SignalKind>(
    kind: K,
    fits: (signal: SignalOf<K>) => boolean = () => true,
  ): SignalOf<K> | undefined {
    return this.#signals.findLast(
      (signal): signal is SignalOf<K> => signal.kind === kind && fits(signal as SignalOf<K>),
    );
  }
}
