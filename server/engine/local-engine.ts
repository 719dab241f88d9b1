import { statfs } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import type { Engine } from './engine.ts';
import { type EngineInfo, infoOf } from './info.ts';

/**
 * Where an engine of this machine keeps its data; `undefined` where it runs elsewhere, or where this process may not
 * look.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function localDataRoot(
  engine: Engine,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const info = await infoOf(engine, signal);
  return !engine.isRelayed && isOnThisMachine(engine, info) ? info.DockerRootDir : undefined;
}

/**
 * Whether an engine runs on this machine and sees the files that this process sees. It shares our kernel and our name;
 * Docker Desktop's machine, remote ones, and one beside the container that we run in do not.
 */
export function isOnThisMachine(
  { address }: Pick<Engine, 'address'>,
  { Name, KernelVersion }: Pick<EngineInfo, 'Name' | 'KernelVersion'>,
): boolean {
  const isSocket = process.platform === 'linux' && address.startsWith('unix:');
  return isSocket && Name === hostname() && KernelVersion === release();
}

/** How much is free on the disk under a path. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
