import type { Background } from '../../base/background.ts';
import type { Link } from './link.ts';

/** Close codes: RFC 6455, 7.4.1, and the IANA registry. */
export const CLOSE = {
  goingAway: 1001,
  policy: 1008,
  defect: 1011,
  restarting: 1012,
  tryAgain: 1013,
} as const;

/** What a page is told of a defect of ours; the rest stands in the log. */
const DEFECT = 'Something in Quayside itself went wrong.';

/** So many beats without a sign of life: the page is gone, though its socket is not. */
const SILENT_BEATS = 3;

/** Makes a callback whose failure ends its socket and goes no further. */
export type SocketGuard = <Args extends readonly unknown[]>(
  callback: (...args: Args) => void,
) => (...args: Args) => void;

/**
 * For every callback of a socket, be it an event of its own, a timer, or news from behind it: what it throws is logged
 * and counted, and ends this socket alone, with the close code 1011.
 *
 * @param name what the log and the counter call it
 * @param release lets go of all that belongs to the socket, at once and not only when it has closed
 */
export function guardOf(
  socket: Link,
  background: Background,
  name: string,
  release: () => void = () => undefined,
): SocketGuard {
  return (callback) =>
    background.guard(name, (...args) => {
      try {
        callback(...args);
      } catch (error) {
        socket.close(CLOSE.defect, DEFECT);
        release();
        throw error;
      }
    });
}

/** Pings a page in a beat, and cuts its socket once it gives no sign of life any more. @returns the beat's timer */
export function heartbeat(
  socket: Link,
  guarded: SocketGuard,
  milliseconds: number,
  onBeat: () => void,
  onLost: () => void = () => undefined,
): NodeJS.Timeout {
  let silent = 0;
  const heard = (): void => {
    silent = 0;
  };
  socket.on('message', heard);
  socket.on('pong', heard);
  const beat = guarded(() => {
    silent += 1;
    if (silent <= SILENT_BEATS) {
      onBeat();
      if (socket.readyState === socket.OPEN) socket.ping();
      return;
    }
    onLost();
    // It does not answer, so it would not answer a close frame either.
    socket.terminate();
  });
  return setInterval(beat, milliseconds);
}
