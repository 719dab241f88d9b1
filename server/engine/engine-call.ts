import { deadline, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';

/**
 * How long an engine may take for one request. A start takes 0.3 s on an idle machine and some seconds among fifty
 * others; an engine that needs longer than this hangs.
 */
const ENGINE_CALL_MS = 60_000;

/**
 * One request to an engine, with a time limit that begins with it. Every request has the usual one (requests.ts); this
 * is for those that need another, and for a work of several.
 *
 * @param call is given the signal to pass on to the client; the limit holds whether or not the client heeds it
 * @throws the outer signal's reason; QuaysideError SANDBOX_FAILED at the limit; whatever the engine said
 */
export async function engineCall<T>(
  outer: AbortSignal | undefined,
  call: (abortSignal: AbortSignal) => Promise<T>,
  milliseconds = ENGINE_CALL_MS,
): Promise<T> {
  using limit = deadline(milliseconds, outer);
  try {
    return await withAbort(limit.signal, () => call(limit.signal));
  } catch (error) {
    outer?.throwIfAborted();
    if (!limit.signal.aborted) throw error;
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `The Docker Engine has not answered for ${milliseconds / 1000} s.`,
      'Look whether it runs and what it is busy with: docker ps',
      { cause: error },
    );
  }
}
