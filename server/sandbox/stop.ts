import { deadline, sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { LABEL } from './labels.ts';
import { onEachMachine } from './machines.ts';
import { type SandboxPlace, thaw } from './removal.ts';

/** A host ends its engine, and that one its containers, within a second or two (images/lab-host/init). */
export const STOP_SECONDS = 5;
/** A stop takes some seconds, on a machine full of them a few more; one that takes longer than this is stuck. */
const STOP_MS = 60_000;
const STOP_RETRY_MS = 100;

/** Where sandboxes are stopped. */
type StopPlace = Pick<SandboxPlace, 'engine' | 'placement'>;

/**
 * Stops every container of a sandbox, and settles when none of them runs. Its disks and containers are kept. Stopped
 * already is success.
 *
 * @throws the signal's reason; QuaysideError SANDBOX_FAILED naming what runs on
 */
export async function stopSandbox(
  { engine, placement }: StopPlace,
  sandbox: string,
  signal: AbortSignal,
): Promise<void> {
  if (!placement) return await stopAt(engine, sandbox, signal);
  await placement.suspend(sandbox, signal);
  // On a machine that is lost nothing can be stopped; what runs there is found when the machine is back.
  await onEachMachine(placement, signal, (each, until) => stopAt(each.engine, sandbox, until));
}

/** Stops what a sandbox has on one machine. @throws as {@link stopSandbox} */
async function stopAt(engine: Engine, sandbox: string, signal: AbortSignal): Promise<void> {
  using limit = deadline(STOP_MS, signal);
  let running: readonly string[] = [];
  let cause: unknown;
  for (;;) {
    try {
      running = await stopOnce(engine, sandbox, limit.signal);
      if (running.length === 0) return;
    } catch (error) {
      cause = error;
    }
    await sleep(STOP_RETRY_MS, limit.signal).catch(() => undefined);
    if (!limit.signal.aborted) continue;
    signal.throwIfAborted();
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `Sandbox ${sandbox} could not be stopped: ${running.join(', ') || 'the engine does not list what runs of it'}.`,
      `Look what holds it: docker ps --filter label=${LABEL.sandbox}=${sandbox}`,
      { cause },
    );
  }
}

/** Tries to stop each of a sandbox's containers once. @returns the names of those that ran before */
async function stopOnce(
  engine: Engine,
  sandbox: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { docker } = engine;
  const filters = { label: [`${LABEL.sandbox}=${sandbox}`] };
  const running = await docker.listContainers({ filters, abortSignal: signal });
  const stops = running.map(async (container) => {
    await thaw(engine, container, signal);
    await docker.getContainer(container.Id).stop({ t: STOP_SECONDS, abortSignal: signal });
  });
  // One that has ended by itself meanwhile is no longer listed; the next list shows what else went wrong.
  await Promise.allSettled(stops);
  return running.map(({ Names, Id }) => Names?.[0]?.slice(1) ?? Id);
}

/**
 * The ids of a server's sandboxes of which a container runs.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function runningSandboxes(
  { engine, placement }: StopPlace,
  instance: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const filters = { label: [`${LABEL.instance}=${instance}`] };
  const runningAt = ({ docker }: Engine, abortSignal: AbortSignal) =>
    docker.listContainers({ filters, abortSignal });
  const running = placement
    ? await onEachMachine(placement, signal, (each, until) => runningAt(each.engine, until))
    : [await runningAt(engine, signal)];
  return new Set(running.flat().flatMap(({ Labels }) => Labels[LABEL.sandbox] ?? []));
}
