import { Buffer } from 'node:buffer';
import type { StreamItem } from './control-scanner.ts';
import type { PtyCommand, Size } from './shell-host.ts';
import type { RedirectableTransport, ShellTransportListener } from './shell-transport.ts';

/** What dtach prints once it is connected, before any output of the shell. */
const DTACH_GREETING = Buffer.from('\x1b[H\x1b[J');
/** A refusal is a line or two, and so is what an engine's client warns of first. */
const PREAMBLE_BYTES = 64 * 1024;
/** As much of it is kept: the end of it says why. */
const PREAMBLE_KEPT_BYTES = 1024;

/**
 * A shell under dtach, reached through the engine: dtach's attach end in the host, on a TTY of the engine's. Settles
 * once it is connected.
 *
 * @throws ExecRefused with what was printed instead; the signal's reason
 */
export async function attachByExec(
  id: string,
  command: PtyCommand,
  size: Size,
  listener: ShellTransportListener,
  signal: AbortSignal,
): Promise<RedirectableTransport> {
  // Most servers never go this way, and need no pty.
  const { Pty } = await import('./pty.ts');
  signal.throwIfAborted();
  const connected = Promise.withResolvers<void>();
  let preamble = Buffer.alloc(0);
  let preambleBytes = 0;
  const onOutput = (bytes: Buffer): void => {
    preambleBytes += bytes.byteLength;
    preamble = Buffer.concat([preamble, bytes]);
    const greeting = preamble.indexOf(DTACH_GREETING);
    if (greeting >= 0) {
      const rest = preamble.subarray(greeting + DTACH_GREETING.byteLength);
      pty.redirect(listener);
      connected.resolve();
      if (rest.byteLength > 0) listener.item({ kind: 'output', bytes: rest });
      return;
    }
    preamble = preamble.subarray(-PREAMBLE_KEPT_BYTES);
    if (preambleBytes > PREAMBLE_BYTES) connected.reject(new ExecRefused(preamble.toString()));
  };
  const pty = new Pty(id, command, size, {
    drained: () => listener.drained(),
    item: (item: StreamItem) => {
      if (item.kind === 'output') onOutput(item.bytes);
      else if (item.note === 'left') connected.reject(new ExecRefused(preamble.toString()));
    },
  });
  const onAbort = () => connected.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await connected.promise;
    return pty;
  } catch (error) {
    pty[Symbol.dispose]();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The command ended, or printed without end, in place of connecting. */
export class ExecRefused extends Error {}
