import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { stopOwnEngine } from '../../server/engine/own-engine.ts';

/** Stops an engine of a test's own, and removes all that it has kept. */
export async function removeEngine(home: string): Promise<void> {
  await stopOwnEngine(home);
  // An engine that was killed leaves mounts behind: its network namespace, and its data on itself.
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((at) => at.startsWith(`${home}/`));
  for (const at of mounts.reverse()) spawnSync('umount', ['-l', at]);
  await rm(home, { recursive: true, force: true });
}
