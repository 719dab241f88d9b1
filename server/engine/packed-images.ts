import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { hasImage } from './base-image.ts';
import type { Engine } from './engine.ts';
import { stepsOf } from './output-limit.ts';

/** Below the folder of images: those that `npm run pack` has built, as `docker save` writes them, and their names. */
const ARCHIVE = 'packed/images.tar';
const NAMES = 'packed/names.json';
/** An engine takes in half a GiB in seconds; on a slow disk or a small machine, in minutes. */
const LOAD_SILENCE_MS = 600_000;
const MIB = 1024 ** 2;

/**
 * Writes images with all that they are built on, for {@link loadPacked} on another machine.
 *
 * @param folder as the folder of images there
 * @throws whatever the engine or the disk says
 */
export async function savePacked(
  engine: Engine,
  names: readonly string[],
  folder: string,
): Promise<void> {
  const archive = join(folder, ARCHIVE);
  await mkdir(dirname(archive), { recursive: true });
  // Its types leave this one out.
  const docker = engine.docker as unknown as { getImages(options: object): Promise<Readable> };
  await pipeline(await docker.getImages({ names }), createWriteStream(archive));
  await writeFile(join(folder, NAMES), JSON.stringify(names));
}

/** Images are asked for side by side, and one archive has all of them. */
const loading = new WeakMap<Engine, Promise<void>>();

/**
 * Gives the engine an image that came with the project, and the others that came with it.
 *
 * @param folder of images
 * @returns whether that image was among them
 * @throws QuaysideError IMAGE_BUILD_FAILED where the archive is damaged, or the engine does not take it
 */
export async function loadPacked(
  engine: Engine,
  folder: string,
  name: string,
  progress: Progress,
): Promise<boolean> {
  const archive = join(folder, ARCHIVE);
  if (!existsSync(archive)) return false;
  try {
    const text = await readFile(join(folder, NAMES), 'utf8');
    if (!z.array(z.string()).parse(JSON.parse(text)).includes(name)) return false;
    // Another's load may have ended meanwhile.
    if (await hasImage(engine, name)) return true;
    let load = loading.get(engine);
    if (!load) {
      load = loadAll(engine, archive, progress).finally(() => loading.delete(engine));
      loading.set(engine, load);
    }
    await load;
    return true;
  } catch (error) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `The images that came with this Quayside could not be loaded: ${messageOf(error)}`,
      `See whether the engine takes them by hand: docker load --input ${archive}`,
      { cause: error },
    );
  }
}

async function loadAll(engine: Engine, archive: string, progress: Progress): Promise<void> {
  const { size } = await stat(archive);
  progress(`Loading the images that came with this Quayside (${Math.ceil(size / MIB)} MiB) …`);
  const report = await engine.docker.loadImage(createReadStream(archive));
  for await (const _ of stepsOf(report, LOAD_SILENCE_MS));
}
