import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { assertAllRemoved, removeSandboxes } from '../capacity/capacity.ts';
import type { SandboxPlace } from '../sandbox/removal.ts';
import type { Store } from '../store/store.ts';

/** On a slow machine, or one that is full, a host with an engine takes half a minute to go. Nobody waits but who has typed it. */
const REMOVAL_MS = 180_000;

/**
 * Removes every sandbox of a store's server, and notes of each that is gone that it is. What was passed is kept.
 *
 * @throws QuaysideError SANDBOX_FAILED naming what stays and how to go on; ENGINE_REFUSES where the engine fails
 */
export async function cleanUp(
  place: SandboxPlace,
  store: Store,
  progress: Progress,
): Promise<void> {
  const removal = await removeSandboxes(place, store.instance, {
    milliseconds: REMOVAL_MS,
    onRemoved: (removed, all) => progress(`  Removed ${removed} of ${all} …`),
  }).catch((error: unknown) => {
    if (error instanceof QuaysideError) throw error;
    throw new QuaysideError(
      'ENGINE_REFUSES',
      `The Docker Engine at ${place.engine.address} does not say what is there to remove: ${messageOf(error)}`,
      'Look whether it runs (docker ps), and type npm run clean again.',
      { cause: error },
    );
  });
  for (const session of store.sessionsWithSandbox()) {
    if (!removal.failures.has(session.row.sandbox ?? '')) session.sandboxGone();
  }
  const { length } = removal.removed;
  progress(`Removed ${length} sandbox${length === 1 ? '' : 'es'}.`);
  assertAllRemoved(removal);
}
