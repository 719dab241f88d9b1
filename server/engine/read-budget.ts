import { TokenBucket } from '../base/token-bucket.ts';
import { OutputLimitError } from './output-limit.ts';

/**
 * What may come from one host at once, and per second from then on. A class's checks read some ten KiB of a host after
 * each command; a program that writes without end sends a GiB per second.
 */
const BURST_BYTES = 8 * 1024 ** 2;
const BYTES_PER_SECOND = 2 * 1024 ** 2;
/** A host that went over a limit is not read for this long. To ask it once more costs its engine 60 ms of a core. */
const CLOSED_MS = 5_000;
/**
 * What a piece costs beside its bytes: a frame of a process, a chunk of an answer, a head without an answer. Each takes
 * two to five microseconds, whatever its size, so a flood of small ones holds the event loop long before it is large.
 */
export const PIECE_BYTES = 256;

/**
 * How much is read from one host, over all connections to it. The learner is root there, and may let anything answer
 * without end; what it can take of this process is bounded by this, whatever it does.
 */
export class ReadBudget {
  readonly #bytes = new TokenBucket(BURST_BYTES, BYTES_PER_SECOND);
  #closed: { readonly error: OutputLimitError; readonly at: number } | undefined;

  /** @throws the error that closed it, for as long as it is closed */
  assertOpen(): void {
    if (this.#closed === undefined) return;
    const passed = Date.now() - this.#closed.at;
    // A clock that was set back must not keep it closed.
    if (passed >= 0 && passed < CLOSED_MS) throw this.#closed.error;
    this.#closed = undefined;
  }

  /** Counts what has come. @throws OutputLimitError where that was too much; the connection is to be destroyed */
  take(bytes: number): void {
    if (!this.#bytes.take(bytes)) throw this.close(new OutputLimitError(BURST_BYTES));
  }

  /** Keeps from reading the host for a while, because of a limit that it went over. @returns the same error */
  close(error: OutputLimitError): OutputLimitError {
    this.#closed = { error, at: Date.now() };
    return error;
  }
}
