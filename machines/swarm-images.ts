import { join, resolve } from 'node:path';
import type { Lab } from '#lab';
import { ensureImage } from '../server/engine/build-image.ts';
import type { Engine } from '../server/engine/engine.ts';
import { createSandboxRuntime, imagesOf } from '../server/sandbox/runtime.ts';
import { sendImages } from '../server/swarm/node-images.ts';
import type { StageNode } from './swarm-stage.ts';

const PROJECT = resolve(import.meta.dirname, '..');

/**
 * Sends the machines of a stage what they cannot build, as they reach no packages: the first all images of the labs, so that a
 * server finds them there, and each what leads to its engine, as an operator does.
 *
 * @param here where they are built, unless they are there
 */
export async function sendToStage(
  here: Engine,
  nodes: readonly StageNode[],
  labs: ReadonlyMap<string, Lab>,
): Promise<void> {
  const silent = () => undefined;
  await using runtime = await createSandboxRuntime(PROJECT, here, labs, 'stage', silent);
  const relay = await ensureImage(here, join(PROJECT, 'images'), 'relay', silent);
  const { signal } = new AbortController();
  for (const [index, { engine }] of nodes.entries()) {
    const names = index === 0 ? [...imagesOf(runtime), relay] : [relay];
    await sendImages(here, engine, names, `machine ${index + 1}`, silent, signal);
  }
}
