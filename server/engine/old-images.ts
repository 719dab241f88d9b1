import { messageOf } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Engine } from './engine.ts';

/** Another server on this engine, of an older checkout, may want its image that long after its last start (ms). */
const KEPT_MS = 14 * 24 * 60 * 60_000;
/** The engine's answers where a container uses the image, and where it is gone already. */
const LEAVE: readonly unknown[] = [404, 409];

/** As the name of a build of ours ends: any other tag is somebody's own. */
const BUILD = /:[0-9a-f]{12}$/;
/** An engine that does not know when an image was tagged may answer with Go's zero time, the year 1. */
const EPOCH = 0;

/**
 * Notes on the engine that an image is in use: the time of its tag says when a server last started with it. Where the
 * engine refuses that, the image is used all the same.
 */
export async function markUsed(engine: Engine, name: string, progress: Progress): Promise<void> {
  const [repo = '', tag = ''] = name.split(':');
  try {
    await engine.docker.getImage(name).tag({ repo, tag });
  } catch (error) {
    progress(`  ${name} could not be marked as used: ${messageOf(error)}`);
  }
}

/**
 * Removes earlier builds of an image of ours that no container uses and no server has started with for two weeks. One that
 * cannot be removed is told and left: it only takes room.
 *
 * @param name the present build: `quayside/lab-host:0123456789ab`
 * @param now milliseconds since 1970
 */
export async function removeOldImages(
  engine: Engine,
  name: string,
  progress: Progress,
  now = Date.now(),
): Promise<void> {
  const [repo = ''] = name.split(':');
  try {
    // There a tag that is given again keeps its time, which then says nothing of use.
    if (await hasContainerdStore(engine)) return;
    const found = await engine.docker.listImages({ filters: { reference: [repo] } });
    for (const old of found.flatMap(({ RepoTags }) => RepoTags ?? [])) {
      if (old === name || !old.startsWith(`${repo}:`) || !BUILD.test(old)) continue;
      await removeUnlessUsed(engine, old, progress, now);
    }
  } catch (error) {
    progress(`  Earlier builds of ${repo} could not be looked for: ${messageOf(error)}`);
  }
}

async function removeUnlessUsed(
  engine: Engine,
  old: string,
  progress: Progress,
  now: number,
): Promise<void> {
  try {
    const image = engine.docker.getImage(old);
    const { Metadata } = (await image.inspect()) as unknown as Inspected;
    const taggedAt = Date.parse(Metadata?.LastTagTime ?? '');
    // Not by force: the engine itself knows whether a container uses it.
    if (taggedAt > EPOCH && now - taggedAt > KEPT_MS) await image.remove();
  } catch (error) {
    const { statusCode, message } = error as Error & { readonly statusCode?: unknown };
    if (!LEAVE.includes(statusCode)) progress(`  ${old} could not be removed: ${message}`);
  }
}

/** The image store of new engines. */
async function hasContainerdStore(engine: Engine): Promise<boolean> {
  const { DriverStatus } = (await engine.docker.info()) as Info;
  return (DriverStatus ?? []).flat().includes('io.containerd.snapshotter.v1');
}

/** What is read of `docker info`. */
interface Info {
  readonly DriverStatus?: readonly (readonly string[])[] | null;
}

/** What dockerode does not declare of an image. */
interface Inspected {
  readonly Metadata?: { readonly LastTagTime?: string };
}
