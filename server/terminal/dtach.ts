import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';

let here: Promise<boolean> | undefined;

/** Whether this machine has dtach; looked up once. */
export function dtachIsHere(): Promise<boolean> {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  here ??= Promise.any(
    directories.map((directory) => access(join(directory, 'dtach'), constants.X_OK)),
  ).then(
    () => true,
    () => false,
  );
  return here;
}

/**
 * Ends whatever is attached to a socket on this machine. A server that was killed can leave such a process behind (its
 * pty lives on in any child that inherited it), and two on one socket take each other's bytes.
 */
export async function endJoins(socket: string): Promise<void> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [file = '', flag, path] = text.split('\0');
    if (basename(file) !== 'dtach' || flag !== '-a' || path !== socket) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
