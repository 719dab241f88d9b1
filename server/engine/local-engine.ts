import { statfs } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';

/** An engine describes itself in milliseconds. */
const INFO_MS = 20_000;

/**
 * Where an engine of this machine keeps its data; `undefined` where it runs elsewhere, or where this process may not
 * look. It shares our kernel and our name; Docker Desktop's machine and remote ones do not.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function localDataRoot(
  engine: Engine,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  if (!engine.address.startsWith('unix:')) return undefined;
  const info = (await engineCall(signal, () => engine.docker.info(), INFO_MS)) as {
    readonly Name?: string;
    readonly KernelVersion?: string;
    readonly DockerRootDir?: string;
  };
  const isHere = info.Name === hostname() && info.KernelVersion === release();
  return isHere ? info.DockerRootDir : undefined;
}

/** How much is free on the disk under a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
