import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Dockerode, Engine } from '../engine/engine.ts';
import { LABEL } from './labels.ts';
import { onEachMachine } from './machines.ts';
import type { SandboxRuntime } from './runtime.ts';

/** A removal takes a second or two, on a machine full of starts several; one that takes longer than this is stuck. */
const REMOVAL_MS = 20_000;
const REMOVAL_RETRY_MS = 100;
/** A command in a host takes a tenth of a second; a host that cannot do this one is removed as it is. */
const THAW_MS = 5_000;
/** The hierarchy of freezers exists with cgroup v1 only. */
const THAW_CONTAINERS = `
[ -d /sys/fs/cgroup/freezer ] || exit 0
find /sys/fs/cgroup/freezer -mindepth 2 -name freezer.state | while read -r state; do echo THAWED > "$state"; done
`;

/** Where sandboxes are looked for and removed: no more than this is needed of a runtime. */
export type SandboxPlace = Pick<SandboxRuntime, 'engine' | 'sharedDirectories' | 'placement'>;

/**
 * Removes every container, volume and directory of a sandbox, known or not, and settles when nothing is left of it.
 * Gone already is success; what another removal is just taking away is waited for. What cannot be removed does not keep
 * the rest, and is tried again.
 *
 * @param milliseconds how long; 20 s, if not given
 * @throws the signal's reason; QuaysideError SANDBOX_FAILED naming what stays
 */
export async function destroySandbox(
  { placement, ...place }: SandboxPlace,
  sandbox: string,
  signal?: AbortSignal,
  milliseconds = REMOVAL_MS,
): Promise<void> {
  if (!placement) return await destroyAt(place, sandbox, signal, milliseconds);
  // The place first: nothing of it is made anywhere from then on.
  await placement.release(sandbox, signal);
  // On a machine that is lost nothing can be removed; what is there goes when the machine is back.
  await onEachMachine(placement, signal, (each, until) =>
    destroyAt(each, sandbox, until, milliseconds),
  );
}

/** Removes what a sandbox has on one machine. @throws as {@link destroySandbox} */
export async function destroyAt(
  { engine, sharedDirectories }: Omit<SandboxPlace, 'placement'>,
  sandbox: string,
  signal?: AbortSignal,
  milliseconds = REMOVAL_MS,
): Promise<void> {
  using limit = deadline(milliseconds, signal);
  let left: Leftover = { names: [], cause: undefined };
  for (;;) {
    try {
      left = await removeObjects(engine, sandbox, limit.signal);
      if (left.names.length === 0) return await sharedDirectories.remove(sandbox);
    } catch (cause) {
      left = { ...left, cause };
    }
    await sleep(REMOVAL_RETRY_MS, limit.signal, { ref: true }).catch(() => undefined);
    if (!limit.signal.aborted) continue;
    signal?.throwIfAborted();
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `Sandbox ${sandbox} could not be removed: ${left.names.join(', ') || 'the engine does not list what is left of it'}.`,
      `Look what holds it: docker ps -a --filter label=${LABEL.sandbox}=${sandbox}`,
      { cause: left.cause },
    );
  }
}

/** What a removal has found, and why the last of it may have stayed. */
interface Leftover {
  readonly names: readonly string[];
  readonly cause: unknown;
}

/** Tries to remove each of a sandbox's objects once. */
async function removeObjects(
  engine: Engine,
  sandbox: string,
  signal: AbortSignal,
): Promise<Leftover> {
  let cause: unknown;
  const attempt = (removal: Promise<unknown>) =>
    removal.catch((error: { readonly statusCode?: number }) => {
      // HTTP 404 is "gone already"; 409 is "its removal is under way", or "still in use" by what is being removed.
      if (error.statusCode !== 404 && error.statusCode !== 409) cause = error;
    });
  const { docker } = engine;
  const label = `${LABEL.sandbox}=${sandbox}`;
  const { containers, volumes } = await objectsOf(docker, label, signal);
  await Promise.all(
    containers.map(async (container) => {
      await thaw(engine, container, signal);
      const removal = { force: true, v: true, abortSignal: signal };
      await attempt(docker.getContainer(container.Id).remove(removal));
    }),
  );
  await Promise.all(
    volumes.map(({ Name }) => attempt(docker.getVolume(Name).remove({ abortSignal: signal }))),
  );
  const names = containers.map(({ Names, Id }) => Names?.[0]?.slice(1) ?? Id);
  return { names: [...names, ...volumes.map(({ Name }) => Name)], cause };
}

/**
 * The ids of the sandboxes that have anything on an engine or on this machine and belong to this server.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function liveSandboxes(
  { placement, ...place }: SandboxPlace,
  instance: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (!placement) return await sandboxesAt(place, instance, signal);
  const placed = await placement.sandboxes(signal);
  const found = await onEachMachine(placement, signal, (each, until) =>
    sandboxesAt(each, instance, until),
  );
  return [...new Set([...placed, ...found.flat()])];
}

/** The same, on one machine. */
export async function sandboxesAt(
  { engine, sharedDirectories }: Omit<SandboxPlace, 'placement'>,
  instance: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const label = `${LABEL.instance}=${instance}`;
  const { containers, volumes } = await objectsOf(engine.docker, label, signal);
  const ids = [...containers, ...volumes].map(({ Labels }) => Labels[LABEL.sandbox]);
  const all = [...ids, ...(await sharedDirectories.sandboxes())];
  return [...new Set(all.filter((id) => id !== undefined))];
}

async function objectsOf(docker: Dockerode, label: string, signal?: AbortSignal) {
  const options = () => ({ filters: { label: [label] }, ...(signal && { abortSignal: signal }) });
  const containers = await docker.listContainers({ all: true, ...options() });
  const { Volumes } = await docker.listVolumes(options());
  return { containers, volumes: Volumes ?? [] };
}

/**
 * Resumes everything in a host that its learner has paused. With cgroup v1, a frozen process cannot be killed, and its
 * host could not be removed. With v2 the kernel kills frozen processes as well.
 */
export async function thaw(
  engine: Engine,
  { Id, Labels, State }: Dockerode.ContainerInfo,
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
