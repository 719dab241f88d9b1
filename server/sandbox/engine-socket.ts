import { once } from 'node:events';
import { lstat } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { sleep } from '../base/deadline.ts';

/**
 * How long after a look the next one comes: a thirtieth of the time waited so far, so that it adds as little to a start
 * (0.7 s), and no more than this range. A look takes 0.1 ms. Watching the directory would need fewer of them, but the
 * learner can change it without end, and each change would be told.
 */
const PAUSE_MS = { least: 10, most: 250 } as const;
const PAUSE_SHARE = 1 / 30;

/**
 * Settles when the engine at a socket on this machine answers, or is seen to sleep. The socket need not be there yet, and
 * one that an engine left behind is no answer.
 *
 * @param mark the file that is there for as long as it sleeps
 * @throws the signal's reason
 */
export async function untilEngineAnswersAt(
  socket: string,
  mark: string,
  signal: AbortSignal,
): Promise<'awake' | 'asleep'> {
  let waited = 0;
  for (;;) {
    if (await isThere(mark)) return 'asleep';
    if (await answersAt(socket, signal)) return 'awake';
    const pause = Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, waited * PAUSE_SHARE));
    await sleep(pause, signal);
    waited += pause;
  }
}

/** Whether there is something by that name, whatever it is: a learner may have made it. */
export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** Only the answer's head is read: what else comes may have no end. @throws the signal's reason */
async function answersAt(socketPath: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const request = get({ socketPath, path: '/_ping', signal, agent: false });
  // Heads that are no answer may come without end as well.
  for (const head of ['continue', 'information']) request.once(head, () => request.destroy());
  try {
    const [{ statusCode }] = (await once(request, 'response')) as [IncomingMessage];
    return statusCode === 200;
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    request.on('error', () => undefined).destroy();
  }
}
