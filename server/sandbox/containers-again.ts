import pLimit from 'p-limit';
import { deadline } from '../base/deadline.ts';
import type { Dockerode } from '../engine/engine.ts';
import { engineCall } from '../engine/engine-call.ts';
import type { Host } from './host.ts';

/** A learner has some ten containers. More than this are a loop, and nobody waits for them. */
const CONTAINERS_MOST = 100;
/** A look at a container takes milliseconds. */
const LOOKS_AT_ONCE = 8;
/** A container starts in a third of a second; one that takes longer than this is left to the learner. */
const START_MS = 10_000;
/** All of a host's: the learner waits for them. */
const ALL_MS = 30_000;
/** How far the clock of an engine on another machine may be behind this one's, where both are kept by NTP. */
const CLOCK_SLACK_MS = 5_000;

/**
 * Starts the containers of a host's own engine that ran when the host was stopped: those that have ended since. Those that
 * had been stopped before stay so, and those with a restart policy have been started by the engine. They start in the order
 * in which they once did, so that each gets its address again.
 *
 * @param stoppedAt when the stop began (ms since the epoch)
 * @returns the names of those that did not start
 * @throws the signal's reason; whatever the engine said of its list; QuaysideError SANDBOX_FAILED where it hangs
 */
export async function startContainersAgain(
  host: Host,
  stoppedAt: number,
  outer: AbortSignal,
): Promise<readonly string[]> {
  using limit = deadline(ALL_MS, outer);
  const { docker } = host;
  let left = await endedSince(docker, stoppedAt - (host.shared ? 0 : CLOCK_SLACK_MS), limit.signal);
  // Twice: one that shares the network of another can start only after that one.
  for (let attempt = 0; attempt < 2; attempt++) {
    const failed: Ended[] = [];
    for (const each of left) {
      const start = (abortSignal: AbortSignal) =>
        docker.getContainer(each.id).start({ abortSignal });
      await engineCall(limit.signal, start, START_MS).catch((error) => {
        outer.throwIfAborted();
        // HTTP 304: it runs already.
        if (error?.statusCode !== 304) failed.push(each);
      });
    }
    left = failed;
  }
  return left.map(({ name }) => name);
}

interface Ended {
  readonly id: string;
  readonly name: string;
  readonly startedAt: string;
}

/** Those that have ended since a moment, in the order of their starts. */
async function endedSince(
  docker: Dockerode,
  moment: number,
  signal: AbortSignal,
): Promise<readonly Ended[]> {
  const listed = await docker.listContainers({
    all: true,
    limit: CONTAINERS_MOST,
    filters: { status: ['exited'] },
    abortSignal: signal,
  });
  const found = await pLimit(LOOKS_AT_ONCE).map(listed, ({ Id }) =>
    docker
      .getContainer(Id)
      .inspect({ abortSignal: signal })
      .catch(() => signal.throwIfAborted()),
  );
  return found
    .flatMap((each) => (each && Date.parse(each.State.FinishedAt) >= moment ? [each] : []))
    .map(({ Id, Name, State }) => ({
      id: Id,
      name: Name.replace(/^\//, ''),
      startedAt: State.StartedAt,
    }))
    .toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1));
}
