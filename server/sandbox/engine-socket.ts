import { once } from 'node:events';
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
 * Settles when the engine at a socket on this machine answers. The socket need not be there yet, and one that an engine
 * left behind is no answer.
 *
 * @throws the signal's reason
 */
export async function untilEngineAnswersAt(socket: string, signal: AbortSignal): Promise<void> {
  let waited = 0;
  while (!(await answersAt(socket, signal))) {
    const pause = Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, waited * PAUSE_SHARE));
    await sleep(pause, signal);
    waited += pause;
  }
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
