import type { Progress } from '../base/progress.ts';
import type { Engine } from './engine.ts';

/** Another server on this engine, of an older checkout, may want its image that long after its last start (ms). */
const KEPT_MS = 14 * 24 * 60 * 60_000;
/** The engine's answers where a container uses the image, and where it is gone already. */
const LEAVE: readonly unknown[] = [404, 409];

/** Notes on the engine that an image is in use: the time of its tag says when a server last started with it. */
export async function markUsed(engine: Engine, name: string): Promise<void> {
  const [repo = '', tag = ''] = name.split(':');
  await engine.docker.getImage(name).tag({ repo, tag });
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
  const found = await engine.docker.listImages({ filters: { reference: [repo] } });
  for (const old of found.flatMap(({ RepoTags }) => RepoTags ?? [])) {
    if (old === name || !old.startsWith(`${repo}:`)) continue;
    try {
      const image = engine.docker.getImage(old);
      const { Metadata } = (await image.inspect()) as unknown as Inspected;
      // Not by force: the engine itself knows whether a container uses it.
      if (now - Date.parse(Metadata?.LastTagTime ?? '') > KEPT_MS) await image.remove();
    } catch (error) {
      const { statusCode, message } = error as Error & { readonly statusCode?: unknown };
      if (!LEAVE.includes(statusCode)) progress(`  ${old} could not be removed: ${message}`);
    }
  }
}

/** What dockerode does not declare of an image. */
interface Inspected {
  readonly Metadata?: { readonly LastTagTime?: string };
}
