import { dirname } from 'node:path';
import type { Background } from '../base/background.ts';
import { sleep, withAbort } from '../base/deadline.ts';
import type { Engine } from '../engine/engine.ts';
import { freeBytes, localDataRoot } from '../engine/local-engine.ts';
import { LABEL } from './labels.ts';
import { upperDirectories } from './mount-table.ts';

const MIB = 1024 ** 2;
/** The engine's disk is asked how much is free (a microsecond); only when that shrinks are the hosts measured. */
const ASKED_EVERY_MS = 1_000;
/** After a look that failed: mostly, the engine is away. */
const RETRY_MS = 10_000;
/** What all hosts together may write before they are measured, and how long slow writers may stay unmeasured. */
const MEASURED_AFTER_BYTES = 128 * MIB;
const MEASURED_EVERY_MS = 60_000;
/** Below this the engine itself and every other host are in danger. */
const RESERVE_BYTES = 1024 * MIB;
/** Where the reserve is touched, no host below this is to blame. */
const LEAST_BLAMED_BYTES = 256 * MIB;
/** A host has some ten thousand files, which takes 0.1 s. One with millions of them must not keep the others unmeasured. */
const MEASURING_MS = 30_000;

/** A host that wrote more than it may. */
export interface FullDisk {
  readonly sandbox: string;
  readonly host: string;
  readonly bytes: number;
  /** The limit it went over; absent where the machine's whole disk ran out, and this host holds the most of it. */
  readonly limit?: number;
}

/** What the monitor goes by. */
export interface DiskMonitorOptions {
  readonly engine: Engine;
  readonly instance: string;
  /** What one host may write, its engine's images and containers included. */
  readonly limitBytes: number;
  readonly onFull: (full: FullDisk) => void;
  readonly background: Background;
}

/**
 * Keeps a host from filling the disk that all of them share, until the signal is aborted. Quotas would need a file system
 * that few engines have (docs/decisions/0015-disks.md), so what the hosts have written is measured, and each one that
 * goes over its limit is told once. Ends at once where the hosts' files are out of reach: it needs root, and the engine's
 * own machine.
 *
 * @throws the signal's reason
 */
export async function monitorDisks(
  options: DiskMonitorOptions,
  signal: AbortSignal,
): Promise<void> {
  const { engine, background, onFull } = options;
  const told = new Set<string>();
  let root: string | undefined;
  /** Directories, one at least on each disk that the hosts write to. */
  let places: readonly string[] = [];
  /** When the hosts were last measured, and how much of each disk was free then, or has been since. */
  let last: { readonly at: number; readonly free: FreeBytes } = { at: 0, free: new Map() };
  for (;;) {
    try {
      root ??= await localDataRoot(engine, signal);
      if (root === undefined) return;
      if (places.length === 0) places = [root];
      const free = await freeOf(places);
      const least = Math.min(...free.values());
      const isDue = Date.now() - last.at >= MEASURED_EVERY_MS;
      if (hasShrunk(last.free, free) || isDue || least < RESERVE_BYTES) {
        places = [root, ...storesOf(await upperDirectories())];
        last = { at: Date.now(), free };
        for (const full of await fullDisks(least, options, signal)) {
          const host = `${full.sandbox}/${full.host}`;
          if (told.has(host)) continue;
          told.add(host);
          onFull(full);
        }
      }
      // What was deleted meanwhile makes room for as much to be written unseen; so the mark moves up with it.
      last = { ...last, free: mostOf(last.free, free) };
      await sleep(ASKED_EVERY_MS, signal);
    } catch (error) {
      signal.throwIfAborted();
      background.fail('disk monitor', error);
      await sleep(RETRY_MS, signal);
    }
  }
}

/** How much is free on the disk of each of some directories. */
type FreeBytes = ReadonlyMap<string, number>;

async function freeOf(places: readonly string[]): Promise<FreeBytes> {
  return new Map(await Promise.all(places.map(async (at) => [at, await freeBytes(at)] as const)));
}

function hasShrunk(before: FreeBytes, now: FreeBytes): boolean {
  return [...now].some(([place, bytes]) => {
    return (before.get(place) ?? Number.POSITIVE_INFINITY) - bytes >= MEASURED_AFTER_BYTES;
  });
}

function mostOf(before: FreeBytes, now: FreeBytes): FreeBytes {
  return new Map([...now].map(([place, free]) => [place, Math.max(before.get(place) ?? 0, free)]));
}

/** The directories that have all containers' own, which have two names each: `…/snapshots/22/fs`. */
function storesOf(uppers: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...uppers.values()].map((upper) => dirname(dirname(upper))))];
}

async function fullDisks(
  free: number,
  { engine, instance, limitBytes }: DiskMonitorOptions,
  signal: AbortSignal,
): Promise<readonly FullDisk[]> {
  const disks = await measure(engine, instance, signal);
  const full: FullDisk[] = disks
    .filter(({ bytes }) => bytes > limitBytes)
    .map((disk) => ({ ...disk, limit: limitBytes }));
  const most = disks.toSorted((one, other) => other.bytes - one.bytes)[0];
  if (free >= RESERVE_BYTES || !most || most.bytes <= LEAST_BLAMED_BYTES) return full;
  return [...full, most];
}

/** Where a host writes: directories on this machine, and what the engine says of those that are not to be found. */
interface Written {
  readonly paths: readonly string[];
  readonly otherBytes: number;
}

/**
 * What each of an instance's hosts has written.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function measure(
  engine: Engine,
  instance: string,
  signal: AbortSignal,
): Promise<readonly FullDisk[]> {
  const filters = { label: [`${LABEL.instance}=${instance}`, LABEL.host] };
  const containers = await engine.docker.listContainers({ filters, abortSignal: signal });
  const uppers = await upperDirectories();
  const written = await withAbort(signal, () =>
    Promise.all(containers.map(({ Id }) => writtenBy(engine, Id, uppers.get(Id), signal))),
  );
  const sizes = await sizesOf(
    written.flatMap(({ paths }) => paths),
    signal,
  );
  return containers.map(({ Labels }, index) => {
    const { paths, otherBytes } = written[index] ?? { paths: [], otherBytes: 0 };
    const bytes = paths.reduce((sum, path) => sum + (sizes.get(path) ?? 0), otherBytes);
    return { sandbox: Labels[LABEL.sandbox] ?? '', host: Labels[LABEL.host] ?? '', bytes };
  });
}

/**
 * A container that goes away meanwhile has written nothing.
 *
 * @param upper where it writes, as this machine's mounts have it
 */
async function writtenBy(
  engine: Engine,
  id: string,
  upper: string | undefined,
  signal: AbortSignal,
): Promise<Written> {
  const container = engine.docker.getContainer(id);
  const inspect = (options: object) =>
    container.inspect({ ...options, abortSignal: signal }).catch(() => undefined);
  const found = await inspect({});
  const data = found?.GraphDriver?.Data as { readonly UpperDir?: string } | undefined;
  const volumes = (found?.Mounts ?? []).flatMap(({ Type, Source }) =>
    Type === 'volume' ? Source : [],
  );
  const layer = data?.UpperDir ?? upper;
  if (layer !== undefined) return { paths: [layer, ...volumes], otherBytes: 0 };
  // An engine that keeps its mounts to itself measures what a container has written, which takes it longer.
  const sized = (await inspect({ size: true })) as { readonly SizeRw?: number } | undefined;
  return { paths: volumes, otherBytes: sized?.SizeRw ?? 0 };
}

/** What each directory takes on its own file system. One that goes away meanwhile takes nothing. */
async function sizesOf(
  all: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (let paths = all; paths.length > 0; ) {
    const { execa } = await import('execa');
    // It ends with 1 where a file vanished under it; what it printed is right all the same.
    const { stdout, timedOut } = await execa('du', ['-sxB1', ...paths], {
      ...{ reject: false, stdin: 'ignore', stderr: 'ignore' },
      ...{ timeout: MEASURING_MS, cancelSignal: signal },
    });
    signal.throwIfAborted();
    for (const line of stdout.split('\n')) {
      const [bytes = '', path] = line.split('\t', 2);
      if (path !== undefined) sizes.set(path, Number(bytes));
    }
    if (!timedOut) break;
    // It has stuck at the first that it has not printed; the others are measured without that one.
    paths = paths.filter((path) => !sizes.has(path)).slice(1);
  }
  return sizes;
}
