import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import { FileLock } from '../base/file-lock.ts';
import type { Progress } from '../base/progress.ts';
import { takeTurn } from '../base/turn.ts';
import { precompress } from './precompress.ts';

/** What the site is made from. */
const SOURCES = [
  'src',
  'public',
  'lab',
  'protocol',
  'server/labs',
  'astro.config.mjs',
  'package-lock.json',
];
/** Enough to tell any two builds of one checkout apart. */
const NAME_LENGTH = 16;
/** Of a path that pages are served below: enough to tell a few of them apart. */
const BASE_LENGTH = 8;
const NAME = /^[0-9a-f]{16}(-[0-9a-f]{8})?$/;
/** What the name of a build begins with until it is finished. */
const UNFINISHED = '.building-';
/** In a finished build: a lock that every process that serves it shares. */
const LEASE = '.lease';
/** Two busy cores need half a minute. A build that takes longer than this hangs. */
const BUILD_MS = 10 * 60_000;
/** Below a source: what belongs to other programs, such as git. */
const NO_SOURCE = /\/(\.[^/]*|node_modules)(\/|$)/;
/** Enough of what the build says to see why it failed. */
const LINES_KEPT = 30;

/** A finished build. It stays as it is until it is disposed of, or the process ends. */
export interface Site extends Disposable {
  readonly directory: string;
}

/** A lab whose pages are to be built. */
export interface SiteLab {
  readonly name: string;
  /** Its path, and the folder itself where that is a link. */
  readonly path: string;
  readonly directory: string;
  /** The folder in which it was found, perhaps with a course. */
  readonly root: string;
  /** Whether it is in the project. */
  readonly isOwn: boolean;
}

/** Builds a project's pages, and those of labs elsewhere, to be served below a path, into an empty directory. */
export type SiteBuilder = (
  project: string,
  directory: string,
  basePath: string,
  elsewhere: readonly SiteLab[],
) => Promise<void>;

/** How pages are built. */
export interface SiteOptions {
  /** The path of another site that they are served below, such as `/quayside`. None, if not given. */
  readonly basePath?: string;
  /** Labs with pages. Those of the project are among its pages in any case. */
  readonly labs?: readonly SiteLab[];
  readonly build?: SiteBuilder;
}

/**
 * The pages as they are written now, built where they have not been before. Each build has a directory of its own under
 * `dist/`, named by what it was made from, and appears there only when it is finished. So neither a build that fails nor
 * one of other sources touches what a running server serves. Builds of other sources that no process serves are removed.
 *
 * @throws QuaysideError SITE_BUILD_FAILED with the build's last lines
 */
export async function ensureSite(
  project: string,
  progress: Progress,
  { basePath = '', labs = [], build = buildWithAstro }: SiteOptions = {},
): Promise<Site> {
  const builds = join(project, 'dist');
  // A lab of the project may be a link to another place, and a folder that was named may be in the project.
  const elsewhere = labs.filter(
    ({ directory, isOwn }) => !isOwn || !directory.startsWith(`${project}/`),
  );
  const directory = await siteDirectory(project, basePath, elsewhere);
  // Builds are not removed where this user cannot write.
  if (existsSync(directory) && !(await isWritable(builds))) {
    return { directory, [Symbol.dispose]: () => undefined };
  }
  await mkdir(builds, { recursive: true });
  // Builds of one checkout come one after the other: they share Astro's cache, and the second one finds the first's.
  using _turn = await takeTurn(join(builds, '.lock'), (holder) =>
    progress(
      `Waiting for ${holder ? `process ${holder}` : 'another start'}, which builds the pages …`,
    ),
  );
  if (!existsSync(directory)) {
    progress('Building the pages …');
    for (const name of await readdir(builds)) {
      if (name.startsWith(UNFINISHED))
        await rm(join(builds, name), { recursive: true, force: true });
    }
    // A directory of its own for each try: the build of a killed start may go on for a while.
    const unfinished = join(builds, UNFINISHED + randomUUID());
    await mkdir(unfinished);
    await build(project, unfinished, basePath, elsewhere);
    await precompress(unfinished);
    await rename(unfinished, directory);
  }
  const lease = FileLock.take(join(directory, LEASE), 'shared');
  await sweep(builds, directory);
  return { directory, [Symbol.dispose]: () => lease?.[Symbol.dispose]() };
}

/** Where the pages as they are written now are, once they are built to be served below a path. */
export async function siteDirectory(
  project: string,
  basePath = '',
  elsewhere: readonly SiteLab[] = [],
): Promise<string> {
  const sources = (await fingerprint(project, elsewhere)).slice(0, NAME_LENGTH);
  const base = createHash('sha256').update(basePath).digest('hex').slice(0, BASE_LENGTH);
  return join(project, 'dist', basePath === '' ? sources : `${sources}-${base}`);
}

async function buildWithAstro(
  project: string,
  directory: string,
  basePath: string,
  elsewhere: readonly SiteLab[],
): Promise<void> {
  const { execa } = await import('execa');
  const places = elsewhere
    .filter(({ isOwn }) => !isOwn)
    .map(({ path, directory, root }) => (root === directory ? path : root));
  const argv = [join(project, 'node_modules/astro/bin/astro.mjs'), 'build', '--outDir', directory];
  const env = {
    ASTRO_TELEMETRY_DISABLED: '1',
    QUAYSIDE_BASE_PATH: basePath,
    QUAYSIDE_LABS: [...new Set(places)].join(','),
  };
  const { failed, timedOut, all } = await execa(process.execPath, argv, {
    ...{ cwd: project, env },
    ...{ stdin: 'ignore', all: true, reject: false, timeout: BUILD_MS },
  });
  if (!failed) return;
  const lines = all.split('\n').filter((line) => line.trim() !== '');
  throw new QuaysideError(
    'SITE_BUILD_FAILED',
    `The pages could not be built${timedOut ? ` within ${BUILD_MS / 60_000} minutes` : ''}:\n${lines.slice(-LINES_KEPT).join('\n')}`,
    'Mend what it names and start again. All it says: npx astro build',
  );
}

/** Removes the builds of other sources that no process serves. What is not named as a build is left alone. */
async function sweep(builds: string, current: string): Promise<void> {
  const sources = basename(current).slice(0, NAME_LENGTH);
  for (const name of await readdir(builds)) {
    const directory = join(builds, name);
    if (!NAME.test(name) || name.slice(0, NAME_LENGTH) === sources) continue;
    using unserved = FileLock.take(join(directory, LEASE), 'exclusive');
    if (unserved) await rm(directory, { recursive: true });
  }
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Of names and contents of all sources: two hundred files, some milliseconds. */
async function fingerprint(project: string, elsewhere: readonly SiteLab[]): Promise<string> {
  const hash = createHash('sha256');
  const places = [
    ...SOURCES.map((source) => ({ path: join(project, source), from: project, as: '' })),
    ...elsewhere.map(({ name, directory }) => ({ path: directory, from: directory, as: name })),
    ...[...new Set(elsewhere.map(({ root }) => root))].map((root) => ({
      ...{ path: join(root, 'course.ts'), from: root, as: '' },
    })),
  ];
  for (const { path, from, as } of places) {
    for (const file of await filesBelow(path)) {
      const content = await readFile(file);
      hash.update(`${as}${file.slice(from.length)} ${content.byteLength}\n`).update(content);
    }
  }
  return hash.digest('hex');
}

async function filesBelow(path: string): Promise<readonly string[]> {
  const root = await stat(path).catch(() => undefined);
  if (!root?.isDirectory()) return root ? [path] : [];
  return (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !NO_SOURCE.test(file.slice(path.length)))
    .sort();
}
