import { availableParallelism } from 'node:os';

/**
 * How many starts or removals of sandboxes run side by side. Each keeps about one core busy; with one more than there
 * are cores, none stands idle while an engine waits for something.
 */
export const AT_ONCE = availableParallelism() + 1;

/**
 * Does a work that keeps about one core busy for every item, as many at once as the machine has use for.
 *
 * @throws what the first work that failed has thrown; the works that had begun go on
 */
export async function sideBySide<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  // Each takes the next one as soon as it is free.
  const waiting = [...items].values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
