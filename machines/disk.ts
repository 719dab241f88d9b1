import { createHash } from 'node:crypto';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Progress } from '../server/base/progress.ts';
import { BASE_ARCHIVE, type Definition, type Release } from './definitions.ts';
import { run } from './run.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const INSIDE = join(import.meta.dirname, 'inside');
/** What every machine has: systemd as init, and what the README asks for. */
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'libpam-systemd', 'dbus', 'udev', 'apt', 'ca-certificates'],
  ...['git', 'nodejs', 'npm', 'iproute2', 'kmod', 'procps', 'sudo', 'apparmor'],
];
/** A root that was left half made is made again, so nothing need be safe on the disk meanwhile. */
const QUICKLY = '--dpkgopt=force-unsafe-io';
/** Engines, hosts, packages and pages take 5 GiB; a file has only those blocks that were written. */
const DISK_BYTES = 16 * 1024 ** 3;

/** What a disk is for. */
export interface DiskOptions {
  readonly name: string;
  readonly definition: Definition;
  /** Where disks that can be used again are kept. */
  readonly cache: string;
  /** Where this run's own is made. */
  readonly directory: string;
  /** Whoever says it may type anything on the machine. */
  readonly token: string;
  /** Whether the project's packages are carried in, or npm gets them. */
  readonly packages: 'carried' | 'npm';
  /** The modules of its kernel, where it has one of its own. */
  readonly modules?: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Where the project lies on the machine. */
export function projectOn({ user }: Pick<Definition, 'user'>): string {
  return `${homeOf(user)}/quayside`;
}

/** A disk of its own for one run: a copy of the release's, with the project as it is committed. */
export async function makeDisk(options: DiskOptions): Promise<string> {
  const { name, definition, directory, token, modules, signal } = options;
  const disk = join(directory, 'disk.ext4');
  const made = await releaseDisk(definition.release, options);
  const base = definition.hasBase ? await baseArchive(options) : undefined;
  await run(['cp', '--reflink=auto', '--sparse=always', made, disk], signal);
  const root = await mkdtemp(join(directory, 'root-'));
  await run(['mount', '-o', 'loop', disk, root], signal);
  try {
    await writeFile(join(root, 'etc/hostname'), `${name}\n`);
    await writeFile(join(root, 'etc/hosts'), `127.0.0.1 localhost ${name}\n`);
    await writeFile(join(root, 'etc/machine-token'), token, { mode: 0o600 });
    if (base) {
      await cp(base, join(root, BASE_ARCHIVE));
      await chmod(join(root, BASE_ARCHIVE), 0o644);
    }
    if (modules) await putModules(root, modules, signal);
    await putProject(root, options);
  } finally {
    // Also where the run has been ended meanwhile.
    await run(['umount', root], new AbortController().signal);
  }
  return disk;
}

async function putModules(root: string, modules: string, signal: AbortSignal): Promise<void> {
  const at = join(root, 'usr/lib/modules');
  await mkdir(at, { recursive: true });
  await run(['cp', '-a', `${modules}/.`, at], signal);
  for (const version of await readdir(at)) await run(['chroot', root, 'depmod', version], signal);
}

async function putProject(root: string, options: DiskOptions): Promise<void> {
  const { definition, packages, signal } = options;
  const place = join(root, projectOn(definition));
  await run(['git', 'clone', '--quiet', '--depth=1', `file://${PROJECT}`, place], signal);
  if (packages === 'carried') {
    const modules = join(PROJECT, 'node_modules');
    await run(['cp', '-a', '--reflink=auto', modules, `${place}/`], signal);
    // The lock file of the clone is younger than what npm has written of the packages.
    await run(['touch', join(place, 'node_modules/.package-lock.json')], signal);
  }
  const { user } = definition;
  await run(['chroot', root, 'chown', '-R', `${user}:${user}`, projectOn(definition)], signal);
}

/** The disk of a release, made once. */
async function releaseDisk(release: Release, options: DiskOptions): Promise<string> {
  const { cache, progress, signal } = options;
  const files = ['machine-command', 'machine-command.socket', 'machine-command@.service'];
  const inside = await Promise.all(
    [...files, 'machine-network', 'machine-network.service'].map(
      async (file) => [file, await readFile(join(INSIDE, file), 'utf8')] as const,
    ),
  );
  const recipe = createHash('sha256')
    .update(JSON.stringify([release, PACKAGES, DISK_BYTES, inside, HOOK]))
    .digest('hex');
  return await madeOnce(join(cache, `${release}-${recipe.slice(0, 12)}.ext4`), async (file) => {
    progress(`Making the disk of Debian ${release} (some minutes, once) …`);
    await mkdir(cache, { recursive: true });
    const root = await mkdtemp(join(cache, 'root-'));
    try {
      const include = `--include=${PACKAGES.join(',')}`;
      const hook = `--customize-hook=${HOOK}`;
      const made = ['mmdebstrap', '--variant=minbase', QUICKLY, include, hook, release, root];
      await run(made, signal);
      for (const [name, text] of inside) {
        const isUnit = name.includes('.');
        const at = join(root, isUnit ? 'etc/systemd/system' : 'usr/local/sbin', name);
        await writeFile(at, text, { mode: isUnit ? 0o644 : 0o755 });
      }
      const units = ['machine-command.socket', 'machine-network.service'];
      await run(['chroot', root, 'systemctl', '--quiet', 'enable', ...units], signal);
      await writeFile(join(root, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n');
      await run(['mke2fs', '-q', '-t', 'ext4', '-d', root, file, `${DISK_BYTES / 1024}k`], signal);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
}

/** No services that need a screen, a user who is no root, and what lets this machine reach npm's registry. */
const HOOK = [
  'set -e',
  'chroot "$1" useradd -m -s /bin/bash learner',
  'chroot "$1" systemctl --quiet mask getty@tty1.service console-getty.service apt-daily.timer apt-daily-upgrade.timer',
  'ca=$(npm config get cafile)',
  'if [ -f "$ca" ]; then cp "$ca" "$1/etc/npm-ca.crt"; for home in root home/learner; do echo "cafile=/etc/npm-ca.crt" >"$1/$home/.npmrc"; done; fi',
].join('\n');

/** Debian trixie as a layer: what a registry would give. */
async function baseArchive({ cache, progress, signal }: DiskOptions): Promise<string> {
  return await madeOnce(join(cache, 'base-trixie.tar'), async (file) => {
    progress('Making the base of all images (some minutes, once) …');
    await mkdir(cache, { recursive: true });
    const form = ['--variant=minbase', '--format=tar', QUICKLY];
    await run(['mmdebstrap', ...form, 'trixie', file], signal);
  });
}

/** A file of the cache. One that was left half made is never taken for whole. */
async function madeOnce(path: string, make: (file: string) => Promise<void>): Promise<string> {
  const isThere = await readFile(`${path}.made`).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const partial = `${path}.partial`;
  await make(partial);
  await rename(partial, path);
  await writeFile(`${path}.made`, '');
  return path;
}

function homeOf(user: Definition['user']): string {
  return user === 'root' ? '/root' : `/home/${user}`;
}
