import { type Beat, EVENT_BEAT_MS } from '#protocol';
import { type Loss, onReturn, ReconnectingSocket } from './reconnecting-socket.ts';

export interface EventLinkListener<Event> {
  /** The first event of each socket tells everything, so nothing is lost in between. */
  onEvent(event: Event): void;
  /** The first event of a socket has come: the page knows all there is. */
  onLive(): void;
  onLost(loss: Loss): void;
  /**
   * No socket was let in; asks why, where somebody wants to know.
   *
   * @returns whether to try again by itself; otherwise only when somebody comes back to this page
   */
  onRefused?(signal: AbortSignal): Promise<boolean>;
}

/**
 * Keeps a socket of JSON events open until `signal` is aborted: it comes back by itself when it is lost or falls silent,
 * and at once when the network or the learner comes back.
 *
 * @param url a path on this server, or a whole address
 */
export function keepLive<Event extends object>(
  url: string,
  listener: EventLinkListener<Event>,
  signal: AbortSignal,
): void {
  /** What came last over the present socket. */
  let last: unknown;
  const socket = new ReconnectingSocket({
    url,
    beatMs: EVENT_BEAT_MS,
    listener: {
      opened: () => {
        last = undefined;
      },
      message: (data) => {
        // Where every frame tells everything, the last one once more is the beat.
        if (data === last) return;
        const isFirst = last === undefined;
        last = data;
        const event = JSON.parse(String(data)) as Event | Beat;
        if (isBeat(event)) return;
        listener.onEvent(event);
        if (!isFirst) return;
        socket.established();
        listener.onLive();
      },
      lost: (loss) => {
        listener.onLost(loss);
        return true;
      },
      refused: async (late) => (await listener.onRefused?.(late)) ?? true,
    },
  });
  onReturn(() => socket.hurry(), signal);
  signal.addEventListener('abort', () => socket[Symbol.dispose]());
}

function isBeat(event: object | Beat): event is Beat {
  return 'type' in event && event.type === 'beat';
}
