import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { BASE_EDITION, BASE_IMAGE, ensureBaseImage, hasImage } from './base-image.ts';
import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';
import { infoOf } from './info.ts';
import { isOnThisMachine } from './local-engine.ts';
import { markUsed, removeOldImages } from './old-images.ts';
import { readAll, stepsOf } from './output-limit.ts';
import { loadPacked } from './packed-images.ts';
import { proxiesHere, proxiesOf, withoutPasswords } from './proxies.ts';

/** Enough of a hash to tell any two states of a folder apart. */
const HASH_LENGTH = 12;
/** How many of a build's last lines an error shows. */
const LINES_KEPT = 15;
/** A build that installs packages prints something every few seconds; a mirror may be slow. */
const SILENCE_MS = 600_000;
/** Images of labs have 2 MB; one that does not fit in here does not belong in memory. */
const ARCHIVE_BYTES = 512 * 1024 ** 2;
/** 2 MB take 0.1 s. */
const ARCHIVE_MS = 120_000;

/** What a name of an image may not have; each row of it becomes one dash. */
const UNNAMEABLE = /[^a-z0-9]+/g;

/** What a folder's Dockerfile begins with, as its build argument. */
interface BuiltOn {
  readonly argument: 'BASE' | 'HOST';
  readonly image: string;
}
const DEBIAN: BuiltOn = { argument: 'BASE', image: BASE_IMAGE };

export interface ImageOptions {
  /** Its version, which the build gets as the argument TAG: one folder makes several. */
  readonly tag?: string;
  /** The built image of hosts, where the folder's is to be a host in its place. */
  readonly hostImage?: string;
}

/**
 * Builds `images/<folder>`, or a folder elsewhere by its whole path, unless the engine has it already, and returns its name.
 * The name carries a hash of the folder's files, of the tag and of what it is built on, so that a changed Dockerfile is built
 * again and an unchanged one costs two requests. After a build the earlier ones that nobody uses any more are removed.
 *
 * @throws QuaysideError IMAGE_BUILD_FAILED with the build's last lines
 */
export async function ensureImage(
  engine: Engine,
  imagesDirectory: string,
  folder: string,
  progress: Progress,
  { tag = '', hostImage }: ImageOptions = {},
): Promise<string> {
  const on: BuiltOn = hostImage === undefined ? DEBIAN : { argument: 'HOST', image: hostImage };
  const context = resolve(imagesDirectory, folder);
  const files = (await readdir(context, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(context.length + 1))
    .sort();
  const hash = createHash('sha256').update(`${on.image}\0${BASE_EDITION}`);
  if (tag !== '') hash.update(`\0${tag}`);
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(context, file)));
  const name = `quayside/${repositoryOf(folder)}:${hash.digest('hex').slice(0, HASH_LENGTH)}`;
  if (await hasImage(engine, name)) {
    await markUsed(engine, name, progress);
    return name;
  }
  if (await loadPacked(engine, imagesDirectory, name, progress)) return name;
  await ensureBaseImage(engine, progress);
  progress(`Building the image ${tag === '' ? folder : `${folder}:${tag}`} …`);
  await build(engine, { context, files, on }, { name, tag }, progress);
  await removeOldImages(engine, name, progress);
  return name;
}

/** `my-lab-image` for `…/my-lab/image`: which lab's it is. */
function repositoryOf(folder: string): string {
  if (!isAbsolute(folder)) return folder;
  const [name, lab] = [basename(folder), basename(dirname(folder))];
  return `${lab}-${name}`.toLowerCase().replace(UNNAMEABLE, '-').replace(/^-|-$/g, '');
}

/** A folder with a Dockerfile. */
interface Folder {
  readonly context: string;
  readonly files: readonly string[];
  readonly on: BuiltOn;
}

async function build(
  engine: Engine,
  { context, files, on }: Folder,
  { name, tag }: { readonly name: string; readonly tag: string },
  progress: Progress,
): Promise<void> {
  const lines: string[] = [];
  // Docker knows these names: their values reach what a build runs, and neither the image nor its history.
  const proxies = await proxiesFor(engine);
  try {
    const report = await engine.docker.buildImage(
      { context, src: [...files] },
      // Our own engine has no bridge; on any other the machine's network reaches the package mirror just as well.
      {
        t: name,
        buildargs: { ...proxies, [on.argument]: on.image, TAG: tag },
        networkmode: 'host',
        forcerm: true,
      },
    );
    for await (const { stream } of stepsOf(report, SILENCE_MS)) {
      if (!stream?.trim()) continue;
      const line = withoutPasswords(stream.trim(), proxies);
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      if (/^(Step |Get:|Unpacking|Setting up)/.test(line)) progress(`  ${line.split('\n', 1)[0]}`);
    }
    if (on.argument === 'HOST') await assertHost(engine, name, on.image);
  } catch (error) {
    // The command takes the value of a name alone from its environment.
    const given = Object.entries(proxies).map(([variable, value]) =>
      process.env[variable] ? variable : `${variable}=${withoutPasswords(value, proxies)}`,
    );
    const args = [...given, `${on.argument}=${on.image}`, `TAG=${tag}`].map(
      (arg) => `--build-arg ${arg}`,
    );
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `The image of ${relative('.', join(context, 'Dockerfile'))} could not be built: ${withoutPasswords(messageOf(error), proxies)}\n${lines.join('\n')}`,
      `See all it says with: docker build --network host ${args.join(' ')} ${context}`,
      { cause: error },
    );
  }
}

/** Those of this machine's apt are for engines of this machine: they may be programs on it. */
async function proxiesFor(engine: Engine): Promise<Readonly<Record<string, string>>> {
  const isHere = isOnThisMachine(engine, await infoOf(engine));
  return isHere ? proxiesHere(process.env) : proxiesOf(process.env);
}

/** @throws Error where an image does not begin with all that makes a host, which then would not start */
async function assertHost(engine: Engine, name: string, hostImage: string): Promise<void> {
  const layersOf = async (image: string) =>
    (await engine.docker.getImage(image).inspect()).RootFS.Layers ?? [];
  const layers = await layersOf(name);
  if ((await layersOf(hostImage)).every((layer, index) => layers[index] === layer)) return;
  await engine.docker.getImage(name).remove();
  throw new Error('it is not built on a host. Begin its Dockerfile with ARG HOST and FROM $HOST.');
}

/** The engine's images as tar archives, each read once and kept in memory, to be loaded into the hosts' own engines. */
export function imageArchives(engine: Engine): (name: string) => Promise<Buffer> {
  const archives = new Map<string, Promise<Buffer>>();
  return (name) => {
    const archive = archives.get(name) ?? readArchive(engine, name);
    archives.set(name, archive);
    archive.catch(() => archives.delete(name));
    return archive;
  };
}

async function readArchive(engine: Engine, name: string): Promise<Buffer> {
  const read = async (signal: AbortSignal) => {
    const stream = (await engine.docker.getImage(name).get()) as Readable;
    return await readAll(addAbortSignal(signal, stream), ARCHIVE_BYTES);
  };
  return await engineCall(undefined, read, ARCHIVE_MS);
}
