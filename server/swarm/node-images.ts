import type { Readable } from 'node:stream';
import type { Progress } from '../base/progress.ts';
import type { Engine } from '../engine/engine.ts';
import { stepsOf } from '../engine/output-limit.ts';

/** An engine takes in half a GiB in seconds; over a slow network or on a slow disk, in minutes. */
const LOAD_SILENCE_MS = 600_000;

/**
 * Sends a machine the images that it does not have, as this machine's engine has them, all in one archive.
 *
 * @param to the machine's engine
 * @param where what the machine is called
 * @throws the signal's reason; whatever an engine said
 */
export async function sendImages(
  from: Engine,
  to: Engine,
  names: readonly string[],
  where: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    const found = await to.docker.listImages({
      filters: { reference: [name] },
      abortSignal: signal,
    });
    if (found.length === 0) missing.push(name);
  }
  if (missing.length === 0) return;
  progress(`${where}: gets ${missing.join(', ')} …`);
  // Its types leave this one out.
  const docker = from.docker as unknown as { getImages(options: object): Promise<Readable> };
  const archive = await docker.getImages({ names: missing, abortSignal: signal });
  const report = await to.docker.loadImage(archive, { abortSignal: signal });
  // The images are there when the report is complete.
  for await (const _ of stepsOf(report, LOAD_SILENCE_MS, signal));
  progress(`${where}: has its images.`);
}
