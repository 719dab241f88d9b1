/**
 * A page's links over HTTP, for networks that stop WebSockets: one stream of Server-Sent Events down, which carries what
 * each link's socket would, and requests up. docs/terminal-protocol.md says how they go together.
 */

/** Where a page begins its stream; below it, by the stream's key, is where it sends. */
export const STREAM_PATH = '/api/streams';
/** Of what a page sends at once: a frame of 16 KiB and its base64, with room for some small ones. */
export const MAX_UP_BYTES = 32 * 1024;
/** A socket that speaks first and says everything again: tells the server's clock, and whether WebSockets come through. */
export const ECHO_PATH = '/api/echo';

/**
 * What an event of the stream is. `key`: the stream's own, once, in the place of a link's number. `text`, `bytes`
 * (base64) and `close` (code and reason) are a link's.
 */
export type StreamKind = 'key' | 'text' | 'bytes' | 'close';

/** One event of a stream. */
export interface StreamEvent {
  readonly kind: StreamKind;
  /** The number that the page has given the link; 0 for the stream itself. */
  readonly link: number;
  /** Of one line. */
  readonly payload: string;
}

/** What a page sends: a frame of one of its links in base64, or that it has closed the link. */
export interface UpMessage {
  readonly link: number;
  readonly bytes?: string | undefined;
}

const EVENT = /^event: (key|text|bytes|close)\ndata: (\d+) (.*)$/;

export function encodeStreamEvent({ kind, link, payload }: StreamEvent): string {
  return `event: ${kind}\ndata: ${link} ${payload}\n\n`;
}

/** @param block an event without the empty line after it; nothing for one that is none of ours, such as a comment */
export function decodeStreamEvent(block: string): StreamEvent | undefined {
  const [, kind, link, payload = ''] = EVENT.exec(block) ?? [];
  return kind === undefined ? undefined : { kind: kind as StreamKind, link: Number(link), payload };
}
