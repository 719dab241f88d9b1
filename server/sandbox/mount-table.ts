import { readFile } from 'node:fs/promises';

/** Where containerd's image store mounts the root of a container: below the engine's data, by its id. */
const CONTAINER_ROOT = /\/rootfs\/overlayfs\/([0-9a-f]{64})$/;

/**
 * Where each container of an engine with containerd's image store writes, by its id, as this machine's mounts have it. The
 * engine does not say it, and it need not be below the engine's data: containerd has a place of its own, perhaps on another
 * disk. Empty where the engine keeps its mounts to itself.
 */
export async function upperDirectories(): Promise<ReadonlyMap<string, string>> {
  return upperDirectoriesIn(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
}

/** @param mountinfo as proc_pid_mountinfo(5) describes it */
export function upperDirectoriesIn(mountinfo: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [mount = '', type = ''] = line.split(' - ', 2);
    const id = CONTAINER_ROOT.exec(mount.split(' ', 5)[4] ?? '')?.[1];
    if (id === undefined || !type.startsWith('overlay ')) continue;
    const options = type.split(' ')[2] ?? '';
    const upper = options.split(',').find((option) => option.startsWith('upperdir='));
    if (upper) found.set(id, unescaped(upper.slice('upperdir='.length)));
  }
  return found;
}

/** The kernel writes spaces, tabs, line feeds and backslashes as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
