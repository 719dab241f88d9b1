import pLimit from 'p-limit';
import { deadline, withAbort } from '../base/deadline.ts';

/** An engine answers a second after it is woken. A host whose engine never does keeps the next one waiting no longer than this. */
const TURN_MS = 3_000;

/**
 * Lets the engines of a machine's hosts be woken a few at a time. Each takes half a second of a processor until it answers:
 * where a whole class types its first key at once, the first of them is there at once, and no terminal waits for all of them.
 */
export class WakeTurns {
  readonly #queue: ReturnType<typeof pLimit>;

  /** @param processors how many the engine's machine has: as many are woken at once */
  constructor(processors: number) {
    this.#queue = pLimit(Math.max(1, processors));
  }

  /**
   * Does `work` when its turn has come, or at once when `early` is aborted.
   *
   * @throws as `work`
   */
  async take<T>(work: () => Promise<T>, early: AbortSignal): Promise<T> {
    const { promise: turn, resolve: begin } = Promise.withResolvers<void>();
    const done = withAbort(early, () => turn).then(work, work);
    const given = this.#queue(async () => {
      begin();
      using limit = deadline(TURN_MS);
      await withAbort(limit.signal, () => done);
    });
    // A failure of the work is thrown below. What is left is a turn that was over before its work, which nobody needs to hear of.
    given.catch(() => undefined);
    return await done;
  }
}
