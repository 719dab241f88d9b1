/** `npm run pack`: one archive with all that a machine without a network needs, besides an engine. */
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { Lab } from '#lab';
import { withEngine } from '../../lab/engine-version.ts';
import { needsInternet } from '../../lab/internet.ts';
import { QuaysideError } from '../base/errors.ts';
import { progress } from '../base/progress.ts';
import { BASE_IMAGE } from '../engine/base-image.ts';
import { findEngine } from '../engine/find.ts';
import { savePacked } from '../engine/packed-images.ts';
import { isPlace, labFolders } from '../labs/folders.ts';
import { loadLabs } from '../labs/loader.ts';
import { createSandboxRuntime, imagesOf } from '../sandbox/runtime.ts';
import { ensureSite } from '../site/build.ts';
import { runProgram } from './failure.ts';
import {
  developersPackages,
  labsThere,
  PACK_HELP,
  PACKED_LABS,
  PACKED_PROJECT,
  type PackPlan,
  packPlan,
  tarArguments,
} from './pack-plan.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const MIB = 1024 ** 2;
/** A GiB and a half are read and pressed in one or two minutes; on a slow disk, in many. */
const TAR_MS = 3_600_000;
/** What tar ends with where a file has changed while it was read: the archive may have half of each. */
const CHANGED = 1;
/** In a folder of labs: what other programs keep there. */
const NO_LAB = ['.git', 'node_modules'];
const LOCK = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().exactOptional() })),
});

/** Starts it with the Node that comes with it: the other machine may have none. Paths are taken from where it is typed. */
const START = `#!/bin/sh
# npm start, where there is no npm: ./start --class "Docker 101"
export INIT_CWD="$PWD"
cd "$(dirname "$0")" || exit
exec node_modules/node/bin/node setup/run.mjs server/main.ts "$@"
`;

await runProgram(async () => {
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) {
    console.log(PACK_HELP);
    return;
  }
  const plan = packPlan(argv, process.env);
  if (process.platform !== 'linux') {
    throw new QuaysideError(
      'CONFIG_INVALID',
      'npm run pack runs on Linux alone: the packages that it packs are of the machine that it runs on.',
      'Type it on a machine of the kind that the archive is for.',
    );
  }
  const made = await mkdtemp(join(dirname(plan.output), '.quayside-pack-'));
  try {
    await pack(plan, made);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
});

async function pack(plan: PackPlan, made: string): Promise<void> {
  const folders = labFolders(PROJECT, plan.labs.filter(isPlace));
  const labs = await labsOf(plan, folders);
  const engine = await findEngine(process.env, progress);
  {
    // The gateway's image too, where anybody may need it there.
    const isWanted = plan.internet || [...labs.values()].some(needsInternet);
    const options = { internet: isWanted ? { resolver: undefined } : undefined };
    const begun = createSandboxRuntime(PROJECT, engine, labs, 'pack', progress, options);
    await using runtime = await begun;
    progress('Saving the images …');
    const names = [BASE_IMAGE, ...imagesOf(runtime)];
    await savePacked(engine, names, join(made, PACKED_PROJECT, 'images'));
  }
  for (const [from, name] of plan.folders) {
    await cp(from, join(made, PACKED_LABS, name), {
      ...{ recursive: true, dereference: true },
      filter: (path) => !NO_LAB.includes(basename(path)),
    });
  }
  await writeFile(join(made, PACKED_PROJECT, 'start'), START);
  await chmod(join(made, PACKED_PROJECT, 'start'), 0o755);
  using site = await ensureSite(PROJECT, progress, { basePath: plan.basePath, labs: folders });
  progress('Writing the archive (a minute or two) …');
  const names = [PACKED_PROJECT, ...(plan.folders.size > 0 ? [PACKED_LABS] : [])];
  const unneeded = [...(await otherBuilds(site.directory)), ...(await unneededPackages())];
  const args = tarArguments(plan, PROJECT, { made, names }, unneeded);
  const { failed, exitCode, stderr, shortMessage } = await execa('tar', args, {
    ...{ stdin: 'ignore', reject: false, timeout: TAR_MS },
  });
  if (failed) {
    await rm(plan.output, { force: true });
    throw new QuaysideError(
      exitCode === CHANGED ? 'CONFIG_INVALID' : 'DISK_FULL',
      `The archive could not be written: ${stderr.trim() || shortMessage}`,
      exitCode === CHANGED
        ? 'Pack again while nothing else writes into the project’s folder.'
        : 'Free some room, or name another place: npm run pack -- --output <file>',
    );
  }
  await tell(plan);
}

/** The labs, with the engine that they will have there. */
async function labsOf(
  { hostEngine }: PackPlan,
  folders: Parameters<typeof loadLabs>[0],
): Promise<ReadonlyMap<string, Lab>> {
  const labs = await loadLabs(folders);
  if (hostEngine === undefined) return labs;
  return new Map([...labs].map(([name, lab]) => [name, withEngine(lab, hostEngine)]));
}

async function otherBuilds(current: string): Promise<readonly string[]> {
  const builds = await readdir(join(PROJECT, 'dist'));
  return builds.flatMap((name) => (name === basename(current) ? [] : `dist/${name}`));
}

async function unneededPackages(): Promise<readonly string[]> {
  const lock = LOCK.parse(JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8')));
  return developersPackages(lock);
}

async function tell(plan: PackPlan): Promise<void> {
  const { size } = await stat(plan.output);
  const internet = plan.internet ? ['--internet'] : [];
  const start = ['./start', '--class "Docker 101"', ...labsThere(plan), ...internet].join(' ');
  console.log(
    [
      `\n${plan.output}: ${Math.ceil(size / MIB)} MiB.`,
      `It starts on any Linux of this kind (${process.arch}) with a Docker Engine, without a network, npm or Node:`,
      `  tar xf ${basename(plan.output)} && cd ${PACKED_PROJECT} && ${start}`,
      'There it takes 3 GiB: about half in its folder, the rest on the disk of the engine.',
    ].join('\n'),
  );
}
