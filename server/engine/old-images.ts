import type { Background } from '../base/background.ts';
import { messageOf } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Engine } from './engine.ts';
import { hasContainerdStore, infoOf } from './info.ts';

/** Another server on this engine, of an older checkout, may want its image that long after its last start (ms). */
const KEPT_MS = 14 * 24 * 60 * 60_000;
const LOOK_MS = 24 * 60 * 60_000;
/** The engine's answers where a container uses the image, and where it is gone already. */
const LEAVE: readonly unknown[] = [404, 409];

/** How the name of an image of ours begins. */
const OURS = 'quayside/';
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
  await removeOthers(engine, repo, [name], progress, now);
}

/** The same of all images of ours but `names`: also of those whose folders are no more. @param among as `docker images` takes it */
export async function removeOthers(
  engine: Engine,
  among: string,
  names: readonly string[],
  progress: Progress,
  now = Date.now(),
): Promise<void> {
  try {
    // There a tag that is given again keeps its time, which then says nothing of use.
    if (hasContainerdStore(await infoOf(engine))) return;
    const found = await engine.docker.listImages({ filters: { reference: [among] } });
    for (const old of found.flatMap(({ RepoTags }) => RepoTags ?? [])) {
      if (names.includes(old) || !old.startsWith(OURS) || !BUILD.test(old)) continue;
      await removeUnlessUsed(engine, old, progress, now);
    }
  } catch (error) {
    progress(`  Earlier builds of ${among} could not be looked for: ${messageOf(error)}`);
  }
}

/**
 * Keeps a server's images while it runs, and removes what nobody needs any more, now and each day until it is disposed of: a
 * server that has run for weeks uses its images as one does that has just started.
 */
export function watchImages(
  engine: Engine,
  names: readonly string[],
  background: Background,
  progress: Progress,
): Disposable {
  const look = () =>
    background.run('old images', async () => {
      for (const name of names) await markUsed(engine, name, progress);
      await removeOthers(engine, `${OURS}*`, names, progress);
    });
  look();
  return setInterval(look, LOOK_MS).unref();
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

/** What dockerode does not declare of an image. */
interface Inspected {
  readonly Metadata?: { readonly LastTagTime?: string };
}
