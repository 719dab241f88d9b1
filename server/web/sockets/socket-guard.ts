import type { WebSocket } from 'ws';
import type { Background } from '../../base/background.ts';

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
  socket: WebSocket,
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
