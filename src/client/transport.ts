import { socketUrl } from './request.ts';

/** How a link was lost. */
export interface Loss {
  /** The close code; 0 where the server fell silent without a close. */
  readonly code: number;
  readonly reason: string;
}

/** What a link tells its owner: it opens, carries, and is closed once. Nothing comes before the call that made it returns. */
export interface TransportListener {
  /** The server has let it in. */
  opened(): void;
  message(data: unknown): void;
  closed(loss: Loss): void;
}

/** One link to the server. */
export interface Transport {
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Begins a link. @param url a path on this server, or a whole address */
export type Dial = (url: string, listener: TransportListener) => Transport;

/** The way that links go where nothing stops them. */
export const overWebSocket: Dial = (url, listener) => {
  const socket = new WebSocket(socketUrl(url));
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', () => listener.opened());
  socket.addEventListener('message', ({ data }) => listener.message(data));
  socket.addEventListener('close', ({ code, reason }) => listener.closed({ code, reason }));
  return socket;
};
