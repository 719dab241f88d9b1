import { deadline, sleep } from '../base/deadline.ts';
import type { Progress } from '../base/progress.ts';

/** The process that has begun with set-up while the project's packages were installed (setup/early.mjs), if there is one. */
const EARLY = Number(process.env.QUAYSIDE_EARLY);
const LOOK_MS = 100;
/** As long as a busy package manager is waited for. What is not done then is done here. */
const MOST_MS = 15 * 60_000;

/** Settles when what was begun ahead has come to its end, one way or another. */
export async function untilEarlyIsDone(progress: Progress, pid = EARLY): Promise<void> {
  if (!isAlive(pid)) return;
  progress('Waiting until the Docker Engine and the base of its images are there …');
  using limit = deadline(MOST_MS);
  while (isAlive(pid) && !limit.signal.aborted) {
    await sleep(LOOK_MS, limit.signal, { ref: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
