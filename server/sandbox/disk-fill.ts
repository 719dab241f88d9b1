import { statfs } from 'node:fs/promises';
import { localDataRoot } from '../engine/local-engine.ts';
import type { SandboxRuntime } from './runtime.ts';

/**
 * Below this a disk is full, whatever its size: twice what the disk monitor keeps free, so that stopped hosts go before a
 * learner at work loses theirs (server/sandbox/disk-monitor.ts).
 */
const RESERVE_BYTES = 2 * 1024 ** 3;

/**
 * How full the disk of an engine on this machine is (percent); `undefined` for one elsewhere, and where sandboxes are on several
 * machines: the one that was stopped first may be on another.
 */
export async function engineDiskFill(
  { engine, placement }: Pick<SandboxRuntime, 'engine' | 'placement'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (placement) return undefined;
  const root = await localDataRoot(engine, signal);
  if (root === undefined) return undefined;
  // As df reckons it: what only root may use is not free.
  const { blocks, bfree, bavail, bsize } = await statfs(root);
  if (bavail * bsize < RESERVE_BYTES) return 100;
  const used = blocks - bfree;
  return (100 * used) / (used + bavail);
}
