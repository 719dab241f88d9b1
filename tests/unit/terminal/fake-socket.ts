import { EventEmitter } from 'node:events';
import WebSocket from 'ws';
import {
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  type ServerFrame,
} from '#protocol';

/** The server's end of a socket, in the hands of the test: it sends when the test says so. */
export class FakeSocket extends EventEmitter implements Disposable {
  readonly OPEN = WebSocket.OPEN;
  readyState: number = WebSocket.OPEN;
  readonly bufferedAmount = 0;
  /** What the page was sent. */
  readonly told: ServerFrame[] = [];
  pings = 0;
  /** How it was closed: a code and a reason, or `cut` where it was without a close frame. */
  end: { readonly code: number; readonly reason: string } | 'cut' | undefined;
  readonly #onSent: (() => void)[] = [];

  /** The page sends a frame. */
  says(frame: ClientFrame): void {
    this.emit('message', encodeClientFrame(frame), true);
  }

  send(bytes: Uint8Array, onSent: () => void): void {
    this.told.push(decodeServerFrame(bytes));
    this.#onSent.push(onSent);
  }

  /** All that was queued has gone out. */
  drain(): void {
    for (const onSent of this.#onSent.splice(0)) onSent();
  }

  ping(): void {
    this.pings += 1;
  }

  close(code = 1000, reason = ''): void {
    this.#end({ code, reason }, code);
  }

  terminate(): void {
    this.#end('cut', 1006);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(end: FakeSocket['end'], code: number): void {
    if (this.end) return;
    this.end = end;
    this.readyState = WebSocket.CLOSED;
    this.emit('close', code);
  }
}
