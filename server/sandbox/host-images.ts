import type { Lab, LabHost } from '#lab';
import { isUsualEngine } from '../../lab/engine-version.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { ensureImage } from '../engine/build-image.ts';
import type { Engine } from '../engine/engine.ts';

/** The folder of the image with another engine, below `images/`. Its argument TAG is the version. */
const NEWER_ENGINE = 'newer-engine';
/** What its build says where Debian does not have the version, and the versions that it has. */
const NOT_IN_DEBIAN = /^Debian has no docker\.io of version \S+, but (.+)$/m;
/** What Debian adds to a version of Docker's. */
const DEBIANS = /[-+~].*$/;

/** What all images of hosts are built with. */
interface Workshop {
  readonly engine: Engine;
  /** The folder `images`. */
  readonly images: string;
  /** Our own image of a host, which the others are built on. */
  readonly hostImage: string;
  readonly progress: Progress;
}

/** What a host is made from, as a key of the images that were built; `undefined` for our own image as it is. */
export function hostSource({
  image,
  engineVersion,
}: Pick<LabHost, 'image' | 'engineVersion'>): string | undefined {
  return isUsualEngine(engineVersion) ? image : `${image ?? ''} with engine ${engineVersion}`;
}

/**
 * Builds what a lab's hosts are made from, unless the engine has it: each once, shared by all labs.
 *
 * @param built what there is so far by {@link hostSource}, to which it is added
 * @throws QuaysideError IMAGE_BUILD_FAILED; of a version that Debian does not have, with the lab's line and those it has
 */
export async function buildHostImages(
  workshop: Workshop,
  lab: Lab,
  built: Record<string, string>,
): Promise<void> {
  const { engine, images, hostImage, progress } = workshop;
  for (const host of lab.hosts) {
    const source = hostSource(host);
    if (source === undefined) continue;
    const { image, engineVersion } = host;
    let on = hostImage;
    if (engineVersion !== undefined && !isUsualEngine(engineVersion)) {
      on = await ensureEngine(workshop, lab, host.name, engineVersion);
      // Also where every host has an image of its own on it: that is built on this one.
      built[hostSource({ image: undefined, engineVersion }) ?? ''] = on;
    }
    if (image === undefined) continue;
    built[source] ??= await ensureImage(engine, images, image, progress, { hostImage: on });
  }
}

async function ensureEngine(
  { engine, images, hostImage, progress }: Workshop,
  { source }: Lab,
  host: string,
  version: string,
): Promise<string> {
  try {
    const how = { tag: version, hostImage };
    return await ensureImage(engine, images, NEWER_ENGINE, progress, how);
  } catch (error) {
    const [, there] = NOT_IN_DEBIAN.exec(messageOf(error)) ?? [];
    if (there === undefined) throw error;
    const versions = there.split(' ').map((each) => each.replace(DEBIANS, ''));
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `${source?.placeOf(version, host) ?? 'lab.ts'}: ${host} is to have a Docker Engine ${version}, and Debian has none. It has ${versions.join(' and ')}.`,
      `Name one of these, whole or its beginning: engine: { version: '${versions[0]}' } in lab.ts, or where ${version} is said else (--engine, hostEngine).`,
      { cause: error },
    );
  }
}
