import type { SessionEvent } from '#protocol';
import { ApiError, type LabApi } from './api.ts';
import { keepLive } from './event-link.ts';

/** How the page stands with the server. */
export type LinkState =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** It was live, and will be again. A server that stopped in good order has said what that means. */
  | { readonly state: 'reconnecting'; readonly goodbye: string | undefined }
  /** There is a server, and it does not know this browser. */
  | { readonly state: 'signed-out'; readonly inClass: boolean }
  /** No server so far: the page is read as it is. */
  | { readonly state: 'absent' };

export interface LinkListener {
  onEvent(event: SessionEvent): void;
  onLink(link: LinkState): void;
}

/** RFC 6455, 7.4.1: the server said goodbye before it stopped. */
const GOING_AWAY = 1001;

/**
 * Keeps the events of one lab coming until `signal` is aborted. Where no socket is let in, it asks for the session over
 * HTTP, which tells a missing server from a missing sign-in.
 */
export function keepLinked(api: LabApi, listener: LinkListener, signal: AbortSignal): void {
  let wasLive = false;
  let goodbye: string | undefined;
  const away = (): void =>
    listener.onLink(wasLive ? { state: 'reconnecting', goodbye } : { state: 'absent' });
  listener.onLink({ state: 'connecting' });
  keepLive<SessionEvent>(
    api.eventsUrl,
    {
      onEvent: (event) => listener.onEvent(event),
      onLive: () => {
        wasLive = true;
        listener.onLink({ state: 'live' });
      },
      onLost: ({ code, reason }) => {
        goodbye = code === GOING_AWAY ? reason : undefined;
        away();
      },
      onRefused: async (late) => {
        const inClass = await signedOut(api, late);
        if (late.aborted) return;
        if (inClass === undefined) away();
        else listener.onLink({ state: 'signed-out', inClass });
      },
    },
    signal,
  );
}

/** Whether this browser has to join a class or to sign in; `undefined` where it is known, or no answer comes. */
async function signedOut(api: LabApi, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    await api.snapshot(signal);
    return undefined;
  } catch (error) {
    return error instanceof ApiError && error.isSignedOut ? error.code === 'NOT_JOINED' : undefined;
  }
}
