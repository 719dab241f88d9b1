import type { WebSocket } from 'ws';
import type { Background } from '../../base/background.ts';
import { CLOSE, guardOf } from './socket-guard.ts';

/**
 * A page that has this much unread is not reading. A session's whole snapshot is a few KB, so no page that lives falls
 * this far behind.
 */
const UNREAD_BYTES = 1024 * 1024;
/** Shorter than the minute after which proxies drop a silent connection. A page that misses one is gone. */
const HEARTBEAT_MS = 30_000;

/**
 * Sends events down a socket until it closes. A page that does not read is let go with a reason; on
 * connecting again it gets a snapshot, so nothing is lost.
 *
 * @param subscribe calls its listener with everything at once, then with what changes, until disposed
 */
export function linkEvents<Event>(
  socket: WebSocket,
  subscribe: (listener: (event: Event) => void) => Disposable,
  background: Background,
): void {
  let subscription: Disposable | undefined;
  let closed = false;
  let answered = true;
  const stop = (): void => {
    closed = true;
    clearInterval(heartbeat);
    subscription?.[Symbol.dispose]();
    subscription = undefined;
  };
  const guarded = guardOf(socket, background, 'event socket', stop);
  const heartbeat = setInterval(
    guarded(() => {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
    }),
    HEARTBEAT_MS,
  );
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('close', guarded(stop));
  socket.on('message', () => socket.close(CLOSE.policy, 'This socket only tells; ask over HTTP.'));
  subscription = subscribe(
    guarded((event: Event) => {
      if (closed) return;
      if (socket.bufferedAmount > UNREAD_BYTES) {
        stop();
        socket.close(CLOSE.tryAgain, 'Too much unread; connect again for a fresh snapshot.');
        return;
      }
      socket.send(JSON.stringify(event));
    }),
  );
  // The first event comes while subscribing, and may already have ended it.
  if (closed) stop();
}
