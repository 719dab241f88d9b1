import type { Lab, LabHost } from '#lab';
import { isUsualEngine } from '../../lab/engine-version.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { ensureImage } from '../engine/build-image.ts';
import type { Engine } from '../engine/engine.ts';
import { imageSource, imagesOf } from './image-name.ts';
import { ensureStocked } from './stocked-image.ts';

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
  /** What each image of the labs was built as, by `imageSource`. */
  readonly labImages: Readonly<Record<string, string>>;
  /** Of the server, for the labels of what is made on the way. */
  readonly instance: string;
  readonly progress: Progress;
}

/** What a host is made from, as a key of the images that were built; `undefined` for our own image as it is. */
export function hostSource(
  { image, images, engineVersion }: Pick<LabHost, 'image' | 'images' | 'engineVersion'>,
  lab: Pick<Lab, 'images'>,
): string | undefined {
  const engine = isUsualEngine(engineVersion) ? [] : [`engine ${engineVersion}`];
  const stock = images.map((name) => imageSource(name, lab.images[name] ?? '')).sort();
  const more = [...engine, ...stock];
  return more.length === 0 ? image : `${image ?? ''} with ${more.join(', ')}`;
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
  const { engine, images, hostImage, labImages, progress } = workshop;
  const keep = (host: Parameters<typeof hostSource>[0], name: string): void => {
    const source = hostSource(host, lab);
    if (source !== undefined) built[source] = name;
  };
  for (const host of lab.hosts) {
    const source = hostSource(host, lab);
    if (source === undefined || source in built) continue;
    const { image, engineVersion } = host;
    const on =
      engineVersion === undefined || isUsualEngine(engineVersion)
        ? hostImage
        : await ensureEngine(workshop, lab, host.name, engineVersion);
    const made =
      image === undefined
        ? on
        : await ensureImage(engine, images, image, progress, { hostImage: on });
    // Those that others are built on are needed as well: a server that starts from a pack finds them there.
    keep({ image: undefined, images: [], engineVersion }, on);
    keep({ image, images: [], engineVersion }, made);
    const stock = [...imagesOf(host, lab, labImages).values()];
    keep(host, stock.length === 0 ? made : await ensureStocked(workshop, made, stock));
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
