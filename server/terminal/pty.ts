import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { type IPty, spawn } from 'node-pty';
import { ControlScanner, printNote } from './control-scanner.ts';
import { PendingInput } from './pending-input.ts';
import type { PtyCommand, Size } from './shell-host.ts';
import type { RedirectableTransport, ShellTransportListener } from './shell-transport.ts';

/**
 * A small shell stands around the command. It keeps the pty open after the command's end and says in the stream that
 * it has ended, so node-pty never sees the hang-up that makes it drop what it has not read yet; then it waits to be
 * killed. Its own messages ("Killed") go nowhere.
 */
const HOLDER = `{ "$@" 2>&3; } 3>&2 2>/dev/null; QUAYSIDE_STATUS=$?; ${printNote('$QUAYSIDE_PTY', 'left:$QUAYSIDE_STATUS')}; read -r _`;

/** What dtach prints on its pty when its master has gone. It is taken out of the output. */
const DTACH_FAREWELL = Buffer.from('\x1b[999H\r\n[EOF - dtach terminating]\r\n');
/** The pty's kernel buffer is full: the program is not reading. Ask again this much later (ms), then less often. */
const RETRY_FIRST_MS = 2;
const RETRY_LAST_MS = 64;

/**
 * A command of this machine on a pty. Nothing that it prints before it ends is lost, and it never takes the event loop
 * for itself when its program does not read (node-pty's own writer tries again on every turn of the loop).
 */
export class Pty implements RedirectableTransport {
  readonly #process: IPty;
  readonly #scanner: ControlScanner;
  readonly #waiting = new PendingInput();
  #listener: ShellTransportListener;
  #retry: NodeJS.Timeout | undefined;
  #retryAfter = RETRY_FIRST_MS;
  #state: 'running' | 'left' | 'disposed' = 'running';
  /** The process has exited: its id may be another's now. */
  #isOver = false;

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
    this.#process.onExit(() => {
      this.#isOver = true;
      this.#leave(undefined);
    });
  }

  /** Input that the program has not taken yet, in bytes. */
  get queued(): number {
    return this.#waiting.length;
  }

  redirect(listener: ShellTransportListener): void {
    this.#listener = listener;
  }

  write(input: Uint8Array): void {
    if (this.#state !== 'running') return;
    const written = this.#waiting.length > 0 ? 0 : this.#tryWrite(input);
    if (written === input.byteLength) return;
    this.#waiting.push(input.subarray(written));
    this.#retry ??= setTimeout(() => this.#drain(), this.#retryAfter);
  }

  resize(size: Size): void {
    if (this.#state !== 'running') return;
    try {
      this.#process.resize(size.cols, size.rows);
    } catch {
      // Its process has ended and the exit is on the way: "ioctl(2) failed, EBADF" (as VS Code has met it as well).
    }
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
    for (const item of this.#scanner.push(data)) {
      if (this.#state !== 'running') return;
      if (item.kind === 'note' && item.note === 'left') this.#leave(item.status);
      else this.#listener.item(item);
    }
  }

  #leave(status: number | undefined): void {
    if (this.#state !== 'running') return;
    const bytes = this.#scanner.flush();
    if (bytes.byteLength > 0) this.#listener.item({ kind: 'output', bytes });
    this.#stop('left');
    this.#listener.item({ kind: 'note', note: 'left', status });
  }

  #stop(state: 'left' | 'disposed'): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    clearTimeout(this.#retry);
    this.#waiting.clear();
    // A paused pty would never notice its own end.
    this.#process.resume();
    if (this.#isOver) return;
    // The group: the small shell and the command in it. `kill()` of node-pty would reach the shell alone. A process that
    // was started just now has no group yet, and is reached by itself.
    if (!killed(-this.#process.pid)) killed(this.#process.pid);
  }

  #drain(): void {
    this.#retry = undefined;
    while (this.#waiting.length > 0) {
      const input = this.#waiting.first();
      const written = this.#tryWrite(input);
      this.#waiting.drop(written);
      if (written < input.byteLength) {
        this.#retryAfter =
          written > 0 ? RETRY_FIRST_MS : Math.min(this.#retryAfter * 2, RETRY_LAST_MS);
        this.#retry = setTimeout(() => this.#drain(), this.#retryAfter);
        return;
      }
    }
    this.#retryAfter = RETRY_FIRST_MS;
    this.#listener.drained();
  }

  /** Writes what the kernel takes at once, straight to the pty: no thread, no copy, no wait. */
  #tryWrite(input: Uint8Array): number {
    let written = 0;
    while (written < input.byteLength) {
      try {
        // The descriptor is there at run time and open while the process runs; the types leave it out.
        written += writeSync((this.#process as IPty & { readonly fd: number }).fd, input, written);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EAGAIN') break;
        // The other end has gone; its note or its exit is on the way.
        return input.byteLength;
      }
    }
    return written;
  }
}

/** @returns whether there was such a process, or such a group */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
