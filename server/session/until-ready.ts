import type { SessionEvent, SessionStatus } from '#protocol';
import type { Emitter } from '../base/emitter.ts';
import { QuaysideError } from '../base/errors.ts';

/**
 * Settles when the hosts are ready: the queue, the start and its retries are waited for.
 *
 * @throws QuaysideError why they will not be ready by themselves
 */
export async function untilReady(
  status: () => SessionStatus,
  events: Emitter<SessionEvent>,
): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const look = (): void => {
    const reason = whyNever(status());
    if (reason) settled.reject(reason);
    else if (status().state === 'ready') settled.resolve();
  };
  using _ = events.on((event) => event.type === 'status' && look());
  look();
  await settled.promise;
}

function whyNever(status: SessionStatus): QuaysideError | undefined {
  switch (status.state) {
    case 'queued':
    case 'starting':
    case 'ready':
      return undefined;
    case 'failed':
      return notReady(status.reason, status.remedy);
    case 'ended':
      return notReady(status.reason);
    case 'stopped':
      return notReady(status.reason, 'Press Go on.');
    case 'none':
      return notReady(
        'Nobody had a page of this lab open, so its place in the queue was given up.',
      );
    default:
      return status satisfies never;
  }
}

function notReady(reason: string, remedy = 'Start from here again.'): QuaysideError {
  return new QuaysideError('SESSION_NOT_READY', reason, remedy);
}
