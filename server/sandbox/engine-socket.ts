import { once } from 'node:events';
import { watch } from 'node:fs';
import { get } from 'node:http';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The directory tells when the socket is made; between its making and its first connection it refuses, and tells nothing. */
const LOOKED_EVERY_MS = 250;

/**
 * Settles when the engine at a socket on this machine answers. The socket need not be there yet, and one that an engine
 * left behind is no answer.
 *
 * @throws the signal's reason
 */
export async function untilEngineAnswersAt(socket: string, signal: AbortSignal): Promise<void> {
  using stopped = new DisposableStack();
  const watcher = stopped.adopt(watch(dirname(socket)), (open) => open.close());
  for (;;) {
    const asked = new AbortController();
    const either = AbortSignal.any([signal, asked.signal]);
    const changed = once(watcher, 'change', { signal: either });
    changed.catch(() => undefined);
    try {
      if (await answersAt(socket, signal)) return;
      await Promise.race([changed, delay(LOOKED_EVERY_MS, undefined, { signal: either })]);
    } finally {
      asked.abort();
    }
  }
}

function answersAt(socketPath: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path: '/_ping', signal, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('error', () => {
      if (signal.aborted) reject(signal.reason);
      else resolve(false);
    });
  });
}
