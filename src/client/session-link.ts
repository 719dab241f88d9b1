import type { SessionEvent } from '#protocol';
import { ApiError, type LabApi } from './api.ts';

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

/** The first try comes at once to the eye; later ones leave a struggling server alone. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
/** After an outage nobody should wait about as long again, as with doubling. */
const GROWTH = 1.5;
/** Many pages that lost one server must not all come back in the same instant. */
const JITTER = 0.3;
const UNAUTHORIZED = 401;
/** RFC 6455, 7.4.1: the server said goodbye before it stopped. */
const GOING_AWAY = 1001;

/**
 * Keeps the event socket of one lab open until `signal` is aborted: asks for a snapshot (which tells a missing server
 * from a missing sign-in, as a refused WebSocket does not), then listens; when the socket is lost, backs off and begins
 * again. Coming online, or back to this tab, tries at once.
 */
export async function keepLinked(
  api: LabApi,
  listener: LinkListener,
  signal: AbortSignal,
): Promise<void> {
  let wasLive = false;
  let goodbye: string | undefined;
  let retry = FIRST_RETRY_MS;
  listener.onLink({ state: 'connecting' });
  while (!signal.aborted) {
    try {
      listener.onEvent({ type: 'snapshot', snapshot: await api.snapshot(signal) });
      const { opened, code, reason } = await listen(api.eventsUrl, listener, signal);
      wasLive ||= opened;
      goodbye = code === GOING_AWAY ? reason : undefined;
      if (opened) retry = FIRST_RETRY_MS;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      if (error.status === UNAUTHORIZED) {
        listener.onLink({ state: 'signed-out', inClass: error.code === 'NOT_JOINED' });
        await wake(LAST_RETRY_MS, signal);
        continue;
      }
    }
    if (signal.aborted) return;
    listener.onLink(wasLive ? { state: 'reconnecting', goodbye } : { state: 'absent' });
    await wake(retry * (1 + JITTER * Math.random()), signal);
    retry = Math.min(retry * GROWTH, LAST_RETRY_MS);
  }
}

/** Listens until the socket closes. Resolves to whether it ever opened, and what it was closed with. */
function listen(
  url: string,
  listener: LinkListener,
  signal: AbortSignal,
): Promise<{ readonly opened: boolean; readonly code: number; readonly reason: string }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    let opened = false;
    const leave = () => socket.close();
    signal.addEventListener('abort', leave, { once: true });
    socket.addEventListener('open', () => {
      opened = true;
      listener.onLink({ state: 'live' });
    });
    socket.addEventListener('message', ({ data }) => {
      listener.onEvent(JSON.parse(String(data)) as SessionEvent);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      signal.removeEventListener('abort', leave);
      resolve({ opened, code, reason });
    });
  });
}

/** Waits, but not past the moment that the network or the learner comes back. */
function wake(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = new AbortController();
    const finish = () => {
      done.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    const until = { signal: done.signal };
    signal.addEventListener('abort', finish, until);
    addEventListener('online', finish, until);
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && finish(),
      until,
    );
  });
}
