import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ControlScanner } from './control-scanner.ts';
import { PendingInput } from './pending-input.ts';
import type { Size } from './shell-host.ts';
import type { RedirectableTransport, ShellTransportListener } from './shell-transport.ts';

// What dtach's own attach end sends to its master (dtach.h): packets of ten bytes, in the machine's byte order. The
// master sends the program's output as it is.
export const PACKET_BYTES = 10;
const PACKET_INPUT = 8;
export const PUSH = 0;
const ATTACH = 1;
const WINCH = 3;
const REDRAW = 4;
/** Of {@link REDRAW}: by a SIGWINCH. */
const BY_WINCH = 3;

/**
 * Input goes out in parts of so many bytes at most, one after the other. The kernel takes a part of this size whole or
 * not at all; half a packet would make dtach hang up.
 */
const MOST_AT_ONCE = 8 * 1024;
/**
 * So much of one shell's output is taken in at once; the rest, up to the 48 KiB that dtach leaves in its socket, comes in
 * the next turns of the event loop. Of a flood of escape sequences, this is 0.1 ms in which other terminals wait.
 */
const READ_BYTES = 16 * 1024;
/**
 * All sockets read into this one: a read is followed by its callback at once, and its receiver copies what it keeps. An
 * idle terminal costs no buffer, and a flood makes no garbage.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * A shell under dtach, reached by speaking dtach's protocol on its socket: no process and no pty stand in between, and
 * when this server is gone so is the connection.
 *
 * Input has a connection of its own. Were dtach gone, a write would fail and close the connection it was made on, with
 * what had been printed last still unread in it.
 */
export class DtachSocket implements RedirectableTransport {
  readonly #output: Socket;
  readonly #input: Socket;
  readonly #scanner: ControlScanner;
  readonly #waiting = new PendingInput();
  #listener: ShellTransportListener;
  /** The size that is to be sent to dtach next. */
  #size: Size | undefined;
  /** Input in the packets that are being sent, in bytes; `undefined` while none are. */
  #sending: number | undefined;
  #paused = false;
  #readOn: NodeJS.Immediate | undefined;
  #state: 'running' | 'left' | 'disposed' = 'running';

  private constructor(id: string, path: string, listener: ShellTransportListener) {
    this.#listener = listener;
    this.#scanner = new ControlScanner(id);
    this.#input = connect({ path });
    this.#output = connect({
      path,
      onread: {
        buffer: READ_BUFFER,
        callback: (length) => {
          this.#read(READ_BUFFER.subarray(0, length));
          if (length < READ_BYTES) return true;
          this.#readOn ??= setImmediate(() => {
            this.#readOn = undefined;
            if (!this.#paused) this.#output.resume();
          });
          return false;
        },
      },
    });
    this.#output.on('close', () => this.#leave());
    // The input's end is seen by the output's.
    for (const socket of [this.#input, this.#output]) socket.on('error', () => undefined);
    this.#input.resume();
  }

  /**
   * Settles once dtach sends what the program prints.
   *
   * @param id tells this shell's notes from all others in the stream
   * @param opening input that is answered only once, as the one that starts the shell: it goes behind the attach on the
   * same connection, since dtach drops what is printed before the attach
   * @throws the system's error when nothing listens at `path`; an AbortError
   */
  static async attach(
    id: string,
    path: string,
    size: Size,
    listener: ShellTransportListener,
    signal?: AbortSignal,
    opening: Uint8Array = new Uint8Array(),
  ): Promise<DtachSocket> {
    const transport = new DtachSocket(id, path, listener);
    try {
      // Both before the attach: dtach drops output that it can't send while a newcomer knocks.
      const sockets = [transport.#input, transport.#output];
      await Promise.all(sockets.map((socket) => once(socket, 'connect', { signal })));
    } catch (error) {
      transport[Symbol.dispose]();
      throw error;
    }
    const attach = [packet(ATTACH, 0), sized(REDRAW, BY_WINCH, size), packetsOf(opening)];
    transport.#output.write(Buffer.concat(attach));
    return transport;
  }

  get queued(): number {
    return (this.#sending ?? 0) + this.#waiting.length;
  }

  redirect(listener: ShellTransportListener): void {
    this.#listener = listener;
  }

  write(input: Uint8Array): void {
    if (this.#state !== 'running') return;
    const isIdle = this.#sending === undefined;
    const first = input.subarray(0, isIdle ? MOST_AT_ONCE : 0);
    if (first.byteLength > 0) this.#send(packetsOf(first), first.byteLength);
    this.#waiting.push(input.subarray(first.byteLength));
  }

  resize(size: Size): void {
    if (this.#state !== 'running') return;
    this.#size = size;
    if (this.#sending === undefined) this.#sendNext();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#output.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#readOn) this.#output.resume();
  }

  [Symbol.dispose](): void {
    if (this.#state === 'running') this.#state = 'disposed';
    this.#close();
  }

  #read(data: Buffer): void {
    for (const item of this.#scanner.push(data)) {
      if (this.#state !== 'running') return;
      this.#listener.item(item);
    }
  }

  #leave(): void {
    if (this.#state !== 'running') return;
    const bytes = this.#scanner.flush();
    if (bytes.byteLength > 0) this.#listener.item({ kind: 'output', bytes });
    this.#state = 'left';
    this.#close();
    this.#listener.item({ kind: 'note', note: 'left', status: undefined });
  }

  #close(): void {
    clearImmediate(this.#readOn);
    this.#waiting.clear();
    this.#input.destroy();
    this.#output.destroy();
  }

  #sendNext(): void {
    if (this.#size) {
      const packet = sized(WINCH, 0, this.#size);
      this.#size = undefined;
      this.#send(packet, 0);
    } else if (this.#waiting.length > 0) {
      const input = this.#waiting.first().subarray(0, MOST_AT_ONCE);
      const packets = packetsOf(input);
      this.#waiting.drop(input.byteLength);
      this.#send(packets, input.byteLength);
    } else this.#listener.drained();
  }

  /** @param input how much of the shell's input is in the packets, in bytes */
  #send(packets: Buffer, input: number): void {
    this.#sending = input;
    this.#input.write(packets, () => {
      if (this.#state !== 'running') return;
      this.#sending = undefined;
      this.#sendNext();
    });
  }
}

function packet(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES);
  bytes[0] = type;
  bytes[1] = length;
  return bytes;
}

function sized(type: number, length: number, size: Size): Buffer {
  const window = new Uint8Array(Uint16Array.of(size.rows, size.cols, 0, 0).buffer);
  const bytes = packet(type, length);
  bytes.set(window, PACKET_BYTES - window.byteLength);
  return bytes;
}

function packetsOf(input: Uint8Array): Buffer {
  const packets = Math.ceil(input.byteLength / PACKET_INPUT);
  const bytes = Buffer.alloc(packets * PACKET_BYTES);
  for (let at = 0; at < packets; at++) {
    const part = input.subarray(at * PACKET_INPUT, (at + 1) * PACKET_INPUT);
    bytes[at * PACKET_BYTES] = PUSH;
    bytes[at * PACKET_BYTES + 1] = part.byteLength;
    bytes.set(part, at * PACKET_BYTES + 2);
  }
  return bytes;
}
