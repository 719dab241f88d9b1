import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { hasImage } from '../engine/base-image.ts';
import type { Engine } from '../engine/engine.ts';
import { markUsed, removeOldImages } from '../engine/old-images.ts';
import { imageName } from './image-name.ts';
import { labelsOf } from './labels.ts';

/** Where a host's first program looks for them (images/lab-host/init). */
const IN_HOST = '/opt/quayside/images';
/** As of the images that are built from folders: enough to tell any two apart. */
const HASH_LENGTH = 12;

/** What they are made with. */
interface Workshop {
  readonly engine: Engine;
  readonly instance: string;
  readonly progress: Progress;
}

/**
 * An image of a host that holds a lab's images, as `docker save` writes them: the engine of such a host loads them by itself when
 * it is first used. Made once, shared by all hosts that have the same; nothing is built or asked for elsewhere.
 *
 * @param on the built image of the host
 * @param stock the built images that it is to hold
 * @returns its name
 * @throws QuaysideError IMAGE_BUILD_FAILED
 */
export async function ensureStocked(
  { engine, instance, progress }: Workshop,
  on: string,
  stock: readonly string[],
): Promise<string> {
  const names = [...stock].sort();
  const hash = createHash('sha256')
    .update([on, ...names].join('\0'))
    .digest('hex');
  const { repo } = imageName(on);
  const tag = hash.slice(0, HASH_LENGTH);
  const name = `${repo}-stocked:${tag}`;
  if (await hasImage(engine, name)) {
    await markUsed(engine, name, progress);
    return name;
  }
  const labels = labelsOf({ instance, sandbox: `image-${tag}`, session: '' }, 'image');
  try {
    // Its types leave this one out.
    const docker = engine.docker as unknown as { getImages(options: object): Promise<Readable> };
    const container = await engine.docker.createContainer({ Image: on, Labels: labels });
    try {
      await container.putArchive(await docker.getImages({ names }), { path: IN_HOST });
      await container.commit({ repo: `${repo}-stocked`, tag, pause: false });
    } finally {
      await container.remove({ force: true, v: true });
    }
  } catch (error) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `The image of a host with ${names.join(' and ')} in it could not be made: ${messageOf(error)}`,
      `See whether the engine has room, and whether it can give them out: docker save ${names.join(' ')} > /dev/null`,
      { cause: error },
    );
  }
  await removeOldImages(engine, name, progress);
  return name;
}
