import { type Beat, EVENT_BEAT_MS } from '#protocol';
import type { Background } from '../../base/background.ts';
import type { Link } from './link.ts';
import { CLOSE, guardOf, heartbeat } from './socket-guard.ts';

/**
 * A page that has this much unread is not reading. A session's whole snapshot is a few KB, so no page that lives falls
 * this far behind.
 */
const UNREAD_BYTES = 1024 * 1024;

/** What is said where there is nothing to tell: a page cannot see a ping, and takes silence for a dead link. */
export const BEAT: Beat = { type: 'beat' };

/**
 * Sends events down a socket until it closes, and a beat every {@link EVENT_BEAT_MS}. A page that does not read is let
 * go with a reason; on connecting again it gets a snapshot, so nothing is lost.
 *
 * @param subscribe calls its listener with everything at once, then with what changes, until disposed
 * @param beat the last event once more, if not given: for sockets whose every event tells everything
 */
export function linkEvents<Event>(
  socket: Link,
  subscribe: (listener: (event: Event) => void) => Disposable,
  background: Background,
  beat?: Event,
): void {
  let subscription: Disposable | undefined;
  let closed = false;
  let last: string | undefined;
  const stop = (): void => {
    closed = true;
    clearInterval(beats);
    subscription?.[Symbol.dispose]();
    subscription = undefined;
  };
  const guarded = guardOf(socket, background, 'event socket', stop);
  const tell = (text: string): void => {
    if (closed) return;
    if (socket.bufferedAmount > UNREAD_BYTES) {
      stop();
      socket.close(CLOSE.tryAgain, 'Too much unread; connect again for a fresh snapshot.');
      return;
    }
    last = text;
    socket.send(text);
  };
  const beats = heartbeat(socket, guarded, EVENT_BEAT_MS, () => {
    const text = beat === undefined ? last : JSON.stringify(beat);
    if (text !== undefined) tell(text);
  });
  socket.once('close', guarded(stop));
  socket.on('message', () => socket.close(CLOSE.policy, 'This socket only tells; ask over HTTP.'));
  subscription = subscribe(guarded((event: Event) => tell(JSON.stringify(event))));
  // The first event comes while subscribing, and may already have ended it.
  if (closed) stop();
}
