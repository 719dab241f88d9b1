import type { ErrorBody, SessionEvent } from '#protocol';
import { ApiError, type LabApi } from './api.ts';
import { keepLive } from './event-link.ts';

/** How the page stands with the server. */
export type LinkState =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** It was live, and will be again. A server that stopped in good order has said what that means. */
  | { readonly state: 'reconnecting'; readonly goodbye: string | undefined }
  /** There is a server, and it does not know this browser, or not any more. It is asked again when somebody comes back. */
  | { readonly state: 'signed-out'; readonly why: ErrorBody }
  /** There is a server, and it lets this page have no socket, or none gets as far as it. */
  | { readonly state: 'blocked'; readonly why: Blocked }
  /** No server so far: the page is read as it is. */
  | { readonly state: 'absent' };

/** Why nothing comes to this page: `network` where something in between stops WebSockets; else the server's own words. */
export type Blocked = 'network' | { readonly message: string; readonly remedy: string };

export interface LinkListener {
  onEvent(event: SessionEvent): void;
  onLink(link: LinkState): void;
}

/** RFC 6455, 7.4.1: the server said goodbye before it stopped. */
const GOING_AWAY = 1001;

/**
 * Keeps the events of one lab coming until `signal` is aborted. Where no socket is let in, it asks the server over
 * HTTP, which tells a missing server from a missing sign-in, and both from a network that lets no socket through.
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
        const standing = await standingOf(api, late);
        if (late.aborted) return true;
        if (standing === undefined) away();
        else listener.onLink(standing);
        return standing?.state !== 'signed-out';
      },
    },
    signal,
  );
}

/** What an answer to this page over HTTP says of it; nothing where none comes. It asks as a socket does, with an `Origin`. */
async function standingOf(api: LabApi, signal: AbortSignal): Promise<LinkState | undefined> {
  try {
    await api.attend(signal);
    return { state: 'blocked', why: 'network' };
  } catch (error) {
    if (!(error instanceof ApiError) || error.isOfNobody) return undefined;
    const { code, message, remedy } = error;
    if (error.isSignedOut) return { state: 'signed-out', why: { code, message, remedy } };
    return { state: 'blocked', why: { message, remedy } };
  }
}
