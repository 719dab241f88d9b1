import type { Machine, Placement, SandboxRuntime } from './runtime.ts';

/**
 * Does the same on every machine that can be reached, at once. One that is lost meanwhile is left out, so that a question to
 * it keeps nobody.
 *
 * @returns what has come of it, in no order
 * @throws the signal's reason; what the first of them that failed has thrown
 */
export async function onEachMachine<T>(
  placement: Pick<Placement, 'machines'>,
  signal: AbortSignal | undefined,
  work: (runtime: SandboxRuntime, signal: AbortSignal) => Promise<T>,
): Promise<readonly T[]> {
  const one = async ({ runtime, lost }: Machine): Promise<readonly T[]> => {
    const either = signal ? AbortSignal.any([signal, lost]) : lost;
    try {
      return [await work(runtime, either)];
    } catch (error) {
      if (!lost.aborted || signal?.aborted) throw error;
      return [];
    }
  };
  return (await Promise.all(placement.machines().map(one))).flat();
}
