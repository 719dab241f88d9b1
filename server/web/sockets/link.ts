import type { RawData } from 'ws';

/**
 * A page's link, as its events and terminals use it: a WebSocket is one, and so is a link over HTTP (http-link.ts). A
 * ping is answered with a `pong`, by whatever is a sign of life on the way that the link goes.
 */
export interface Link {
  readonly readyState: number;
  readonly OPEN: number;
  /** What has been given to it and has not left this process (bytes). */
  readonly bufferedAmount: number;
  /** @param sent called when it has left this process */
  send(data: string | Uint8Array, sent?: () => void): void;
  close(code: number, reason: string): void;
  /** Ends it without a word. */
  terminate(): void;
  ping(): void;
  on(event: 'message', listener: (data: RawData, isBinary: boolean) => void): unknown;
  on(event: 'pong' | 'error', listener: () => void): unknown;
  once(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
}
