import { join } from 'node:path';
import type { Lab } from '#lab';
import type { Engine } from './engine/engine.ts';
import type { Say } from './engine/find.ts';
import { ensureImage, ImageShelf } from './engine/images.ts';
import { installPackages, isDebian, isInstalled } from './engine/packages.ts';
import type { Foundry } from './sandbox/sandbox.ts';
import { SharedDirectories } from './sandbox/shared-directory.ts';

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
  await ensureDtach(say);
  const shared = await SharedDirectories.for(engine, instance);
  return { engine, hostImage, labImages, shelf: new ImageShelf(engine), shared };
}

/**
 * With `dtach` on this machine terminals reach their shells round the engine, at a third of the delay. Without it they
 * go through the engine, so that a machine where it cannot be had is no worse off than slower.
 */
async function ensureDtach(say: Say): Promise<void> {
  if (process.getuid?.() !== 0 || !(await isDebian()) || (await isInstalled('dtach'))) return;
  say('Installing dtach …');
  await installPackages(['dtach'], say).catch(() => {
    say('  It cannot be had; terminals go through the engine instead.');
  });
}
