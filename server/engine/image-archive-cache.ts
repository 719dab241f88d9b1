import { addAbortSignal, type Readable } from 'node:stream';
import { deadline } from '../base/deadline.ts';
import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';
import { readAll } from './output-limit.ts';

/** Images of labs have 2 MB; one that does not fit in here does not belong in memory. */
const ARCHIVE_BYTES = 512 * 1024 ** 2;
/** 2 MB take 0.1 s. */
const READ_MS = 120_000;

/** Images as tar archives, read from the engine once, to be loaded into the hosts' own engines. */
export class ImageArchiveCache {
  readonly #engine: Engine;
  readonly #archives = new Map<string, Promise<Buffer>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The archive of an image of the engine. It is kept in memory. */
  archive(name: string): Promise<Buffer> {
    const known = this.#archives.get(name);
    if (known) return known;
    const archive = this.#read(name);
    this.#archives.set(name, archive);
    archive.catch(() => this.#archives.delete(name));
    return archive;
  }

  async #read(name: string): Promise<Buffer> {
    using limit = deadline(READ_MS);
    const image = this.#engine.docker.getImage(name);
    const stream = (await engineCall(limit.signal, () => image.get())) as Readable;
    return await readAll(addAbortSignal(limit.signal, stream), ARCHIVE_BYTES);
  }
}
