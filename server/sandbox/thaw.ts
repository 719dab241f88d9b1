import { deadline, withAbort } from '../base/deadline.ts';
import type { Dockerode, Engine } from '../engine/engine.ts';
import { LABEL } from './labels.ts';

/** A command in a host takes a tenth of a second; a host that cannot do this one is removed as it is. */
const THAW_MS = 5_000;

/** The hierarchy of freezers exists with cgroup v1 only. */
const THAW_CONTAINERS = `
[ -d /sys/fs/cgroup/freezer ] || exit 0
find /sys/fs/cgroup/freezer -mindepth 2 -name freezer.state | while read -r state; do echo THAWED > "$state"; done
`;

/**
 * Resumes everything in a host that its learner has paused. With cgroup v1, a frozen process cannot be killed, and its
 * host could not be removed. With v2 the kernel kills frozen processes as well.
 */
export async function thaw(
  engine: Engine,
  { Id, Labels, State }: Pick<Dockerode.ContainerInfo, 'Id' | 'Labels' | 'State'>,
  outer: AbortSignal,
): Promise<void> {
  if (Labels[LABEL.host] === undefined) return;
  if (State !== 'paused' && State !== 'running') return;
  using limit = deadline(THAW_MS, outer);
  const { signal } = limit;
  try {
    await withAbort(signal, async () => {
      if (State === 'paused') await engine.docker.getContainer(Id).unpause({ abortSignal: signal });
      await engine.run(Id, ['sh', '-c', THAW_CONTAINERS], { user: 'root', signal });
    });
  } catch {
    // It goes away, is stuck, or has no room for one more process: its removal shows which.
  }
}
