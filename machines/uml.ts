import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../server/base/progress.ts';
import { run } from './run.ts';

/**
 * Debian's kernel for user-mode Linux and what its missing modules are made with. It is built without nftables for IPv4
 * and IPv6, which every engine needs.
 */
const PACKAGES = [
  ...['user-mode-linux', 'linux-source', 'gcc', 'make', 'flex', 'bison', 'bc', 'kmod', 'xz-utils'],
  ...['libelf-dev', 'libssl-dev', 'libc6-dev', 'python3-minimal'],
];
const BUILD = join(import.meta.dirname, 'build-modules.sh');

/** A mirror that is a snapshot of some week has a list of sid that has run out. */
const MIRROR_MAY_BE_OLD = '--aptopt=Acquire::Check-Valid-Until "false"';

/** Where the kernel’s modules lie, in its root. */
export const MODULES = 'usr/lib/uml/modules';

/** A folder that has the kernel and all that it needs to run, made once. */
export async function umlRoot(
  cache: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const root = join(cache, 'uml');
  if (existsSync(root)) return root;
  progress('Fetching the kernel for user-mode Linux and making its modules (some minutes, once) …');
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(join(cache, 'uml-'));
  try {
    const include = `--include=${PACKAGES.join(',')}`;
    await run(
      ['mmdebstrap', '--variant=minbase', MIRROR_MAY_BE_OLD, include, 'sid', partial],
      signal,
    );
    await run(['cp', BUILD, join(partial, 'build-modules.sh')], signal);
    await run(['chroot', partial, '/build-modules.sh'], signal);
    await rename(partial, root);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  return root;
}
