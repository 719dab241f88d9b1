import { readFile, stat } from 'node:fs/promises';
import { sleep } from '../base/deadline.ts';
import type { Progress } from '../base/progress.ts';

/** The files that apt and dpkg lock. A new machine's first update of its own holds them for some minutes. */
const LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
];
const LOOK_MS = 1_000;

/** A process that holds a lock. */
export interface LockHolder {
  readonly pid: number;
  /** The program's name, such as `unattended-upgr`. */
  readonly name: string;
}

/**
 * Waits until no process holds a lock of apt's, and says for whom it waits. apt itself waits for dpkg's lock only, not for
 * that of its package lists.
 *
 * @throws Error naming the program, as soon as the signal is aborted
 */
export async function untilAptIsFree(
  progress: Progress,
  signal?: AbortSignal,
  locks: readonly string[] = LOCKS,
): Promise<void> {
  let waitedFor: number | undefined;
  for (;;) {
    const holder = await lockHolder(locks);
    if (!holder) return;
    if (holder.pid !== waitedFor) {
      progress(`Waiting for apt: ${holder.name} (process ${holder.pid}) is using it …`);
    }
    waitedFor = holder.pid;
    await sleep(LOOK_MS, signal, { ref: true }).catch((cause: unknown) => {
      throw new Error(`${holder.name} (process ${holder.pid}) is still using apt`, { cause });
    });
  }
}

/** Who holds one of apt's locks, as the kernel lists it (proc_locks(5)). */
export async function lockHolder(
  locks: readonly string[] = LOCKS,
): Promise<LockHolder | undefined> {
  const files = await Promise.all(locks.map(kernelName));
  const listed = await readFile('/proc/locks', 'utf8').catch(() => '');
  for (const line of listed.split('\n')) {
    // `2: POSIX  ADVISORY  WRITE 3200 fe:00:1540120 0 EOF`; a waiting process has `->` before the kind.
    const [, pid, file] = /^\d+: POSIX +\S+ +WRITE (\d+) (\S+) /.exec(line) ?? [];
    if (pid === undefined || file === undefined || !files.includes(file)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'another program');
    return { pid: Number(pid), name: name.trim() };
  }
  return undefined;
}

/** A file as `/proc/locks` names it: major and minor number of its device, and its inode. */
async function kernelName(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found) return undefined;
  const major = (found.dev >> 8n) & 0xfffn;
  const minor = (found.dev & 0xffn) | ((found.dev >> 12n) & 0xfff00n);
  const hex = (number: bigint) => number.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)}:${found.ino}`;
}
