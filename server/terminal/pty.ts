import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { type IPty, spawn } from 'node-pty';
import { ControlScanner, printNote } from './control-scanner.ts';
import type { PtyCommand, Size } from './shell-host.ts';
import type { ShellTransport, ShellTransportListener } from './shell-transport.ts';

/**
 * A small shell stands around the command. It keeps the pty open after the command's end and says in the stream that
 * it has ended, so node-pty never sees the hang-up that makes it drop what it has not read yet; then it waits for us.
 * Its own remarks ("Killed") are nobody's business.
 */
const HOLDER = `{ "$@" 2>&3; } 3>&2 2>/dev/null; QUAYSIDE_STATUS=$?; ${printNote('$QUAYSIDE_PTY', 'left:$QUAYSIDE_STATUS')}; read -r _`;

/** What dtach prints on its pty when its master has gone. Nothing a learner should see. */
const DTACH_FAREWELL = Buffer.from('\x1b[999H\r\n[EOF - dtach terminating]\r\n');
/** The pty's kernel buffer is full: the program is not reading. Ask again this much later (ms), then less often. */
const RETRY_FIRST_MS = 2;
const RETRY_LAST_MS = 64;

/**
 * A command of this machine on a pty. Nothing that it prints before it ends is lost, and it never takes the event loop
 * for itself when its program does not read (node-pty's own writer tries again on every turn of the loop).
 */
export class Pty implements ShellTransport {
  readonly #process: IPty;
  readonly #listener: ShellTransportListener;
  readonly #scanner: ControlScanner;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #retry: NodeJS.Timeout | undefined;
  #retryAfter = RETRY_FIRST_MS;
  #state: 'running' | 'left' | 'disposed' = 'running';

  /** @param id tells this pty's notes from all others in the stream */
  constructor(id: string, command: PtyCommand, size: Size, listener: ShellTransportListener) {
    this.#listener = listener;
    this.#scanner = new ControlScanner(id, DTACH_FAREWELL);
    this.#process = spawn(
      '/bin/sh',
      ['-c', HOLDER, 'quayside-pty', command.file, ...command.args],
      {
        name: 'xterm-256color',
        cols: size.cols,
        rows: size.rows,
        env: {
          PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
          HOME: process.env.HOME ?? '/',
          ...command.env,
          QUAYSIDE_PTY: id,
        },
        encoding: null,
      },
    );
    // With `encoding: null` node-pty gives buffers, whatever its types say.
    this.#process.onData((data) => this.#read(data as unknown as Buffer));
    this.#process.onExit(() => this.#leave(undefined));
  }

  /** Input that the program has not taken yet, in bytes. */
  get queued(): number {
    return this.#queued;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'running') return;
    if (this.#queue.length > 0) {
      this.#enqueue(bytes);
      return;
    }
    const written = this.#tryWrite(bytes);
    if (written < bytes.byteLength) this.#enqueue(bytes.subarray(written));
  }

  resize(size: Size): void {
    if (this.#state === 'running') this.#process.resize(size.cols, size.rows);
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** Ends the command and the small shell around it. Whatever they still print is dropped. */
  [Symbol.dispose](): void {
    this.#stop('disposed');
  }

  #read(data: Buffer): void {
    for (const piece of this.#scanner.push(data)) {
      if (this.#state !== 'running') return;
      if (piece.kind === 'note' && piece.note === 'left') this.#leave(piece.status);
      else this.#listener.piece(piece);
    }
  }

  #leave(status: number | undefined): void {
    if (this.#state !== 'running') return;
    const bytes = this.#scanner.flush();
    if (bytes.byteLength > 0) this.#listener.piece({ kind: 'bytes', bytes });
    this.#stop('left');
    this.#listener.piece({ kind: 'note', note: 'left', status });
  }

  #stop(state: 'left' | 'disposed'): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    clearTimeout(this.#retry);
    this.#queue = [];
    this.#queued = 0;
    // A paused pty would never notice its own end.
    this.#process.resume();
    try {
      // The group: the small shell and the command in it. `kill()` of node-pty would reach the shell alone.
      process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  #enqueue(bytes: Uint8Array): void {
    // A copy: what we were given is a view into a frame.
    this.#queue.push(bytes.slice());
    this.#queued += bytes.byteLength;
    this.#retry ??= setTimeout(() => this.#drain(), this.#retryAfter);
  }

  #drain(): void {
    this.#retry = undefined;
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined) break;
      const written = this.#tryWrite(next);
      this.#queued -= written;
      if (written < next.byteLength) {
        this.#queue[0] = next.subarray(written);
        this.#retryAfter =
          written > 0 ? RETRY_FIRST_MS : Math.min(this.#retryAfter * 2, RETRY_LAST_MS);
        this.#retry = setTimeout(() => this.#drain(), this.#retryAfter);
        return;
      }
      this.#queue.shift();
    }
    this.#retryAfter = RETRY_FIRST_MS;
    this.#listener.drained();
  }

  /** Writes what the kernel takes at once, straight to the pty: no thread, no copy, no wait. */
  #tryWrite(bytes: Uint8Array): number {
    let written = 0;
    while (written < bytes.byteLength) {
      try {
        // The descriptor is there at run time and open while we run; the types leave it out.
        written += writeSync((this.#process as IPty & { readonly fd: number }).fd, bytes, written);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EAGAIN') break;
        // The other end has gone; its note or its exit is on the way.
        return bytes.byteLength;
      }
    }
    return written;
  }
}
