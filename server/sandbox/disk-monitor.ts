import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import { promisify } from 'node:util';
import type { Engine } from '../engine/engine.ts';
import { LABEL } from './labels.ts';

const MIB = 1024 ** 2;
/** The engine's disk is asked how much is free (a microsecond); only when that shrinks are the hosts measured. */
const ASKED_EVERY_MS = 1_000;
/** What all hosts together may write before they are measured, and how long slow writers may stay unmeasured. */
const MEASURED_AFTER_BYTES = 128 * MIB;
const MEASURED_EVERY_MS = 60_000;
/** Below this the engine itself and every other host are in danger. */
const RESERVE_BYTES = 1024 * MIB;
/** Where the reserve is touched, no host below this is to blame. */
const LEAST_BLAMED_BYTES = 256 * MIB;

/** A host that wrote more than it may. */
export interface FullDisk {
  readonly sandbox: string;
  readonly host: string;
  readonly bytes: number;
  /** The limit it went over; absent where the machine's whole disk ran out, and this host holds the most of it. */
  readonly limit?: number;
}

/** What the watch goes by. */
export interface DiskMonitorOptions {
  readonly engine: Engine;
  readonly instance: string;
  /** What one host may write, its engine's images and containers included. */
  readonly limitBytes: number;
  readonly onFull: (full: FullDisk) => void;
  readonly log: (message: string, error: unknown) => void;
}

/**
 * Keeps a host from filling the disk that all of them share. Quotas would need a file system that few engines have
 * (docs/decisions/0015-disks.md), so what the hosts have written is measured, and one that goes over its limit is told
 * of. Possible only as root and on the engine's own machine.
 */
export class DiskMonitor implements Disposable {
  readonly #options: DiskMonitorOptions;
  readonly #root: string;
  readonly #told = new Set<string>();
  #measuredAt = 0;
  #freeWhenMeasured = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: DiskMonitorOptions, root: string) {
    this.#options = options;
    this.#root = root;
  }

  /** A running watch, or `undefined` where the hosts' files are out of our reach. */
  static async start(options: DiskMonitorOptions): Promise<DiskMonitor | undefined> {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
    if (!options.engine.address.startsWith('unix:')) return undefined;
    const info = (await options.engine.docker.info()) as {
      readonly Name?: string;
      readonly KernelVersion?: string;
      readonly DockerRootDir?: string;
    };
    const here = info.Name === hostname() && info.KernelVersion === release();
    if (!here || info.DockerRootDir === undefined) return undefined;
    const watch = new DiskMonitor(options, info.DockerRootDir);
    watch.#again();
    return watch;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#look()
        .catch((error: unknown) =>
          this.#options.log('the hosts’ disks could not be measured', error),
        )
        .finally(() => this.#again());
    }, ASKED_EVERY_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#root);
    const free = bavail * bsize;
    // What was deleted meanwhile makes room for as much to be written unseen; so the mark moves up with it.
    this.#freeWhenMeasured = Math.max(this.#freeWhenMeasured, free);
    const shrunk = this.#freeWhenMeasured - free >= MEASURED_AFTER_BYTES;
    const due = Date.now() - this.#measuredAt >= MEASURED_EVERY_MS;
    if (!shrunk && !due && free >= RESERVE_BYTES) return;
    this.#measuredAt = Date.now();
    this.#freeWhenMeasured = free;
    const disks = await this.#measure();
    if (this.#closed) return;
    const { limitBytes } = this.#options;
    for (const disk of disks) {
      if (disk.bytes > limitBytes) this.#tell({ ...disk, limit: limitBytes });
    }
    const [most] = disks.sort((one, other) => other.bytes - one.bytes);
    if (free < RESERVE_BYTES && most && most.bytes > LEAST_BLAMED_BYTES) this.#tell(most);
  }

  #tell(full: FullDisk): void {
    const key = `${full.sandbox}/${full.host}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.onFull(full);
  }

  async #measure(): Promise<FullDisk[]> {
    const { engine, instance } = this.#options;
    const containers = await engine.docker.listContainers({
      filters: { label: [`${LABEL.instance}=${instance}`, LABEL.host] },
    });
    const places = await Promise.all(
      containers.map(async ({ Id, Labels }) => {
        const found = await engine.docker
          .getContainer(Id)
          .inspect()
          .catch(() => undefined);
        const upper = (found?.GraphDriver?.Data as { readonly UpperDir?: string } | undefined)
          ?.UpperDir;
        const volumes = (found?.Mounts ?? []).flatMap(({ Type, Source }) =>
          Type === 'volume' ? Source : [],
        );
        return {
          sandbox: Labels[LABEL.sandbox] ?? '',
          host: Labels[LABEL.host] ?? '',
          paths: [...(upper === undefined ? [] : [upper]), ...volumes],
        };
      }),
    );
    const sizes = await sizesOf(places.flatMap(({ paths }) => paths));
    return places.map(({ sandbox, host, paths }) => ({
      sandbox,
      host,
      bytes: paths.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0),
    }));
  }
}

/** What each directory takes on its own file system. One that goes away meanwhile takes nothing. */
async function sizesOf(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (paths.length === 0) return new Map();
  const output = await promisify(execFile)('du', ['-sxB1', ...paths], {
    maxBuffer: 4 * MIB,
  }).then(
    ({ stdout }) => stdout,
    // du ends with 1 where a file vanished under it; what it printed is right all the same.
    (error: { readonly stdout?: string }) => error.stdout ?? '',
  );
  return new Map(
    output.split('\n').flatMap((line) => {
      const [bytes = '', path] = line.split('\t', 2);
      return path === undefined ? [] : [[path, Number(bytes)] as const];
    }),
  );
}
