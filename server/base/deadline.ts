import { addAbortListener } from 'node:events';

/** A time limit that has begun. Disposing it stops its timer. */
export interface Deadline extends Disposable {
  /** Aborted at the limit with a `TimeoutError`, or with the outer signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * A time limit for one work, to be made when the work begins and not when it is queued. `AbortSignal.timeout` keeps its
 * timer until it fires; this one is stopped with the work.
 *
 * @param milliseconds how long the work may take
 * @param outer ends the work as well
 */
export function deadline(milliseconds: number, outer?: AbortSignal): Deadline {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new DOMException(`no answer within ${milliseconds / 1000} s`, 'TimeoutError'));
  }, milliseconds);
  timer.unref();
  return {
    signal: outer ? AbortSignal.any([outer, limit.signal]) : limit.signal,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/**
 * Settles after a time.
 *
 * @param options.ref keeps the process alive meanwhile, for a command that has nothing else to do
 * @throws the signal's reason, as soon as it is aborted
 */
export async function sleep(
  milliseconds: number,
  signal?: AbortSignal,
  { ref = false }: { readonly ref?: boolean } = {},
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  if (!ref) timer.unref();
  using _ =
    signal &&
    addAbortListener(signal, () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  await promise;
}

/**
 * The work's result, or a rejection as soon as the signal is aborted, whether or not the work heeds it.
 *
 * @throws the signal's reason
 */
export async function withAbort<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  using _ = addAbortListener(signal, () => aborted.reject(signal.reason));
  return await Promise.race([work(), aborted.promise]);
}
