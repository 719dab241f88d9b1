import { execFile } from 'node:child_process';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from '../engine/engine.ts';
import { localDataRoot } from '../engine/local-engine.ts';

/** A directory that this machine and a host both see, by the path that each has for it. */
export interface SharedDirectory {
  readonly outside: string;
  readonly inside: string;
}

/** Where it is mounted in a host. */
export const SHARED_IN_HOST = '/opt/quayside/shared';
/** Short, because the path of a Unix socket below it may have 107 characters in all. */
export const SHARED_ROOT = '/run/quayside/shared';
/**
 * The learner is root in the host, so symbolic links in the directory are not followed, and it is small: it holds
 * sockets only.
 */
const MOUNT_OPTIONS = 'nosymfollow,nosuid,nodev,noexec,mode=1777,size=256k,nr_inodes=512';

/** A mount takes milliseconds. */
const RUN_MS = 10_000;

/** Where nothing can be shared with hosts: their engine is on another machine. */
export const NO_SHARED_DIRECTORIES: Pick<SharedDirectories, keyof SharedDirectories> = {
  of: () => undefined,
  ensure: async () => undefined,
  remove: async () => undefined,
  sandboxes: async () => [],
};

/**
 * Directories that this machine and a host both see: terminals reach their shells through sockets in them,
 * without the engine. Possible only as root and on the engine's own machine.
 */
export class SharedDirectories {
  readonly #instance: string;
  readonly #possible: boolean;

  private constructor(instance: string, possible: boolean) {
    this.#instance = instance;
    this.#possible = possible;
  }

  static async for(engine: Engine, instance: string): Promise<SharedDirectories> {
    return new SharedDirectories(instance, (await localDataRoot(engine)) !== undefined);
  }

  /** A host's directory, or `undefined` where there can be none. */
  of(sandbox: string, host: string): SharedDirectory | undefined {
    if (!this.#possible) return undefined;
    return { outside: join(SHARED_ROOT, this.#instance, sandbox, host), inside: SHARED_IN_HOST };
  }

  /** The same, mounted where it is not (at first, or after the machine was restarted). */
  async ensure(sandbox: string, host: string): Promise<SharedDirectory | undefined> {
    const shared = this.of(sandbox, host);
    if (shared && !(await mounts()).includes(shared.outside)) {
      await mkdir(shared.outside, { recursive: true });
      await run('mount', ['-t', 'tmpfs', '-o', MOUNT_OPTIONS, 'quayside', shared.outside]);
    }
    return shared;
  }

  /** Takes away all of a sandbox's; gone already is success. */
  async remove(sandbox: string): Promise<void> {
    if (!this.#possible) return;
    const directory = join(SHARED_ROOT, this.#instance, sandbox);
    for (const path of await mounts()) {
      if (!path.startsWith(`${directory}/`)) continue;
      await run('umount', ['-l', path]).catch(async (error: unknown) => {
        // Another removal of the same sandbox may have been quicker.
        if ((await mounts()).includes(path)) throw error;
      });
      await rmdir(path).catch(() => undefined);
    }
    await rmdir(directory).catch(() => undefined);
    await rmdir(join(SHARED_ROOT, this.#instance)).catch(() => undefined);
  }

  /** The sandboxes of this server that have directories, for the sweep. */
  async sandboxes(): Promise<readonly string[]> {
    const prefix = `${join(SHARED_ROOT, this.#instance)}/`;
    const names = (await mounts())
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split('/', 1)[0] ?? '');
    return [...new Set(names)];
  }
}

async function mounts(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  return lines.map((line) => line.split(' ')[1] ?? '');
}

/** @throws Error with what the program said; also where it hangs */
async function run(file: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(file, args, { timeout: RUN_MS });
}
