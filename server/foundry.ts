import { join } from 'node:path';
import type { Lab } from '#lab';
import type { Engine } from './engine/engine.ts';
import type { Say } from './engine/find.ts';
import { ensureImage, ImageShelf } from './engine/images.ts';
import type { Foundry } from './sandbox/sandbox.ts';
import { SharedDirectories } from './sandbox/shared-directory.ts';
import { Wirer } from './sandbox/wiring.ts';

/** Prepares all that sandboxes are made with: the images, and the ways into the hosts. */
export async function prepareFoundry(
  project: string,
  engine: Engine,
  labs: ReadonlyMap<string, Lab>,
  instance: string,
  say: Say,
): Promise<Foundry> {
  const images = join(project, 'images');
  const hostImage = await ensureImage(engine, images, 'lab-host', say);
  const labImages: Record<string, string> = {};
  for (const lab of labs.values()) {
    for (const [tag, folder] of Object.entries(lab.images)) {
      labImages[tag] = await ensureImage(engine, images, folder, say);
    }
  }
  const shared = await SharedDirectories.for(engine, instance);
  const wirer = new Wirer(engine, hostImage, instance);
  return {
    engine,
    hostImage,
    labImages,
    shelf: new ImageShelf(engine),
    shared,
    wirer,
    [Symbol.asyncDispose]: () => wirer[Symbol.asyncDispose](),
  };
}
