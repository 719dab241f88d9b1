import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A large piece goes as many, so that the first of it arrives before the last has left. */
const PIECE = 1_460;
/** What routers on the way keep (bytes): whoever sends more has to wait, as on a real line. */
const BUFFER = 64 * 1024;

/** What a line is like. */
export interface LineOptions {
  /** There and back, in ms. */
  readonly rttMs: number;
  /** In each direction, of all connections together; no limit, if not given. */
  readonly mbit?: number;
}

/** A long way to a port of this machine, over TCP: everything takes its time, and comes whole and in order. */
export class SlowLine implements AsyncDisposable {
  /** Bytes that have come back over it. */
  received = 0;
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();

  /** @param port where it listens; any free one, if not given */
  static async open(to: number, options: LineOptions, port = 0): Promise<SlowLine> {
    const line = new SlowLine();
    const [there, back] = [new Direction(options), new Direction(options)];
    line.#server.on('connection', (near) => {
      const far = connect(to, '127.0.0.1');
      // Shaking hands is a way there and back.
      const opened = performance.now() + options.rttMs;
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        line.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          line.#sockets.delete(socket);
          other.destroy();
        });
      }
      there.carry(near, far, opened);
      back.carry(far, near, opened, (bytes) => {
        line.received += bytes;
      });
    });
    line.#server.listen(port, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** One direction of a line, which all connections share. */
class Direction {
  readonly #delayMs: number;
  readonly #msPerByte: number;
  /** When what was sent last has left. */
  #freeAt = 0;
  /** In the order of their arrival. */
  readonly #underWay: { readonly at: number; readonly arrive: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor({ rttMs, mbit }: LineOptions) {
    this.#delayMs = rttMs / 2;
    this.#msPerByte = mbit === undefined ? 0 : 8 / (mbit * 1_000);
  }

  /** @param opened nothing leaves before (ms) */
  carry(from: Socket, to: Socket, opened: number, arrived?: (bytes: number) => void): void {
    let waiting = 0;
    from.on('data', (bytes: Buffer) => {
      waiting += bytes.byteLength;
      if (waiting > BUFFER) from.pause();
      for (let at = 0; at < bytes.byteLength; at += PIECE) {
        const piece = bytes.subarray(at, at + PIECE);
        this.#send(piece.byteLength, opened, () => {
          waiting -= piece.byteLength;
          if (waiting <= BUFFER) from.resume();
          arrived?.(piece.byteLength);
          if (!to.destroyed) to.write(piece);
        });
      }
    });
    from.once('end', () => this.#send(0, opened, () => void to.end()));
  }

  #send(bytes: number, opened: number, arrive: () => void): void {
    this.#freeAt = Math.max(this.#freeAt, performance.now(), opened) + bytes * this.#msPerByte;
    this.#underWay.push({ at: this.#freeAt + this.#delayMs, arrive });
    this.#timer ??= setTimeout(() => this.#arrive(), this.#delayMs);
  }

  #arrive(): void {
    const now = performance.now();
    while (this.#underWay[0] && this.#underWay[0].at <= now) this.#underWay.shift()?.arrive();
    const [next] = this.#underWay;
    this.#timer = next && setTimeout(() => this.#arrive(), next.at - now);
  }
}
