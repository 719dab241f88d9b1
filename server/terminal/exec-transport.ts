import { Buffer } from 'node:buffer';
import { Pty } from './pty.ts';
import type { PtyCommand, Size } from './shell-host.ts';
import type { ShellTransport, ShellTransportListener } from './shell-transport.ts';

/** What dtach prints once it is connected, before anything of the shell. */
const DTACH_GREETING = Buffer.from('\x1b[H\x1b[J');

/**
 * The way to a shell through the engine: dtach's attach end in the host, on a TTY of the engine's. Settles once it is
 * connected.
 *
 * @throws ExecRefused with what was said instead; the signal's reason
 */
export function attachByExec(
  id: string,
  command: PtyCommand,
  size: Size,
  listener: ShellTransportListener,
  signal: AbortSignal,
): Promise<ShellTransport> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = () => {
      pty[Symbol.dispose]();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    let connected = false;
    let said = Buffer.alloc(0);
    const pty: Pty = new Pty(id, command, size, {
      drained: () => listener.drained(),
      piece: (piece) => {
        if (connected) {
          listener.piece(piece);
          return;
        }
        if (piece.kind === 'note') {
          if (piece.note !== 'left') return;
          signal.removeEventListener('abort', onAbort);
          reject(new ExecRefused(said.toString()));
          return;
        }
        said = Buffer.concat([said, piece.bytes]);
        const greeting = said.indexOf(DTACH_GREETING);
        if (greeting < 0) return;
        connected = true;
        signal.removeEventListener('abort', onAbort);
        resolve(pty);
        const bytes = said.subarray(greeting + DTACH_GREETING.byteLength);
        if (bytes.byteLength > 0) listener.piece({ kind: 'bytes', bytes });
      },
    });
  });
}

/** Nobody let us in. */
export class ExecRefused extends Error {}
