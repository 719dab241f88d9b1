import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { BASE_IMAGE, ensureBaseImage, hasImage } from './base-image.ts';
import type { Engine } from './engine.ts';
import { jsonLines } from './lines.ts';

/** Enough of a hash to tell any two states of a folder apart. */
const HASH_LENGTH = 12;
/** How many of a build's last lines an error shows. */
const LINES_KEPT = 15;

/**
 * Builds `images/<folder>` unless the engine has it already, and returns its name. The name carries a hash of the
 * folder's files, so that a changed Dockerfile is built anew and an unchanged one costs one question to the engine.
 *
 * @throws QuaysideError IMAGE_BUILD_FAILED with the build's last lines
 */
export async function ensureImage(
  engine: Engine,
  imagesDirectory: string,
  folder: string,
  say: Progress,
): Promise<string> {
  const context = join(imagesDirectory, folder);
  const files = (await readdir(context, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(context.length + 1))
    .sort();
  const hash = createHash('sha256').update(BASE_IMAGE);
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(context, file)));
  const name = `quayside/${folder}:${hash.digest('hex').slice(0, HASH_LENGTH)}`;
  if (await hasImage(engine, name)) return name;
  await ensureBaseImage(engine, say);
  say(`Building the image ${folder} …`);
  await build(engine, context, files, name, say);
  return name;
}

async function build(
  engine: Engine,
  context: string,
  files: readonly string[],
  name: string,
  say: Progress,
): Promise<void> {
  const lines: string[] = [];
  try {
    const progress = await engine.docker.buildImage(
      { context, src: [...files] },
      // Our own engine has no bridge; on any other the machine's network reaches the package mirror just as well.
      { t: name, buildargs: { BASE: BASE_IMAGE }, networkmode: 'host', forcerm: true },
    );
    for await (const step of jsonLines<{ stream?: string; error?: string }>(progress)) {
      if (step.error) throw new Error(step.error);
      const line = step.stream?.trim();
      if (!line) continue;
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      if (/^(Step |Get:|Unpacking|Setting up)/.test(line)) say(`  ${line.split('\n', 1)[0]}`);
    }
  } catch (error) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `The image ${name} could not be built: ${(error as Error).message}\n${lines.join('\n')}`,
      `See all it says with: docker build --network host --build-arg BASE=${BASE_IMAGE} ${context}`,
      { cause: error },
    );
  }
}

/** Images as tar archives, read from the engine once, to be loaded into the hosts' own engines. */
export class ImageArchiveCache {
  readonly #engine: Engine;
  readonly #archives = new Map<string, Promise<Buffer>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The archive of an image of the engine. Images of labs are small (2 MB), so they are kept in memory. */
  archive(name: string): Promise<Buffer> {
    const known = this.#archives.get(name);
    if (known) return known;
    const archive = this.#read(name);
    this.#archives.set(name, archive);
    archive.catch(() => this.#archives.delete(name));
    return archive;
  }

  async #read(name: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#engine.docker.getImage(name).get()) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  }
}
