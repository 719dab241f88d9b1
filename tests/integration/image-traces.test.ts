import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BASE_IMAGE } from '../../server/engine/base-image.ts';
import { labFolders } from '../../server/labs/folders.ts';
import { loadLabs } from '../../server/labs/loader.ts';
import { createSandboxRuntime, imagesOf } from '../../server/sandbox/runtime.ts';
import { expectNoTraces } from '../fixtures/image-traces.ts';
import { PROJECT, realEngine } from './stage.ts';

/** Several are built where the engine has none of them. */
const BUILD_MS = 900_000;
/** A lab whose hosts have another engine than the usual one. */
const NEWER_ENGINE = join(PROJECT, 'tests/labs/closed-door');
/**
 * What the images that a sandbox is made of are called: by their folders, and `-stocked` where they hold those of a lab.
 * That of Quayside itself is looked at where it is built.
 */
const KINDS = [
  ...['base', 'gateway', 'lab-host', 'lab-host-stocked', 'mycontainer'],
  ...['newer-engine', 'newer-engine-stocked', 'registry', 'webbase'],
];

test(
  'nothing of the machine on which they were built is in the images',
  async () => {
    const engine = await realEngine();
    const labs = await loadLabs(labFolders(PROJECT, [NEWER_ENGINE]));
    // The gateway's image as well.
    const options = { internet: { resolver: undefined } };
    const quiet = () => undefined;
    await using runtime = await createSandboxRuntime(
      ...([PROJECT, engine, labs, 'traces', quiet, options] as const),
    );
    const images = [BASE_IMAGE, ...imagesOf(runtime)];
    const kinds = images.map((image) => /^quayside\/([^:]+):/.exec(image)?.[1]);
    expect([...new Set(kinds)].sort()).toEqual(KINDS);
    for (const image of images) await expectNoTraces(engine, image);
  },
  BUILD_MS,
);
