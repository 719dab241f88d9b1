import type { WebSocket } from 'ws';

/**
 * A page that has this much unread is not reading. A session's whole snapshot is a few KB, so no page that lives falls
 * this far behind.
 */
const UNREAD_BYTES = 1024 * 1024;
/** Shorter than the minute after which proxies drop a silent connection. A page that misses one is gone. */
const HEARTBEAT_MS = 30_000;
/** RFC 6455, 7.4.1 and the IANA registry: try again later; policy violation. */
const TRY_AGAIN = 1013;
const POLICY = 1008;

/**
 * Sends events down a socket until it closes. A page that does not read is let go with a reason; on
 * connecting again it gets a snapshot, so nothing is lost.
 *
 * @param subscribe as {@link import('../../session/sessions.ts').Sessions.subscribe}: everything at once, then what changes
 */
export function linkEvents<Event>(
  socket: WebSocket,
  subscribe: (listener: (event: Event) => void) => Disposable,
): void {
  let subscription: Disposable | undefined;
  let closed = false;
  let answered = true;
  const heartbeat = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, HEARTBEAT_MS);
  const stop = (): void => {
    closed = true;
    clearInterval(heartbeat);
    subscription?.[Symbol.dispose]();
    subscription = undefined;
  };
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('close', stop);
  socket.on('error', stop);
  socket.on('message', () => socket.close(POLICY, 'This socket only tells; ask over HTTP.'));
  subscription = subscribe((event) => {
    if (closed) return;
    if (socket.bufferedAmount > UNREAD_BYTES) {
      stop();
      socket.close(TRY_AGAIN, 'Too much unread; connect again for a fresh snapshot.');
      return;
    }
    socket.send(JSON.stringify(event));
  });
  // The first event comes while subscribing, and may already have ended it.
  if (closed) stop();
}
