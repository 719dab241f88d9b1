import { existsSync } from 'node:fs';
import { basename, isAbsolute, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isPlace } from '../labs/folders.ts';
import { invalid, readSettings } from './settings.ts';

/** What `npm run pack --` was told. */
export interface PackPlan {
  /** The archive, by its whole path. */
  readonly output: string;
  /** Which labs there are, as `--labs` says it; folders by their whole paths. */
  readonly labs: readonly string[];
  /** The folders of labs that go along, and the name of each there. */
  readonly folders: ReadonlyMap<string, string>;
  /** The path of another site that the pages are for. */
  readonly basePath: string;
  /** Whether hosts may reach the internet there. */
  readonly internet: boolean;
  /** The engine of hosts whose lab says none. */
  readonly hostEngine: string | undefined;
}

/** The folder that the archive holds, and the one beside it with labs. */
export const PACKED_PROJECT = 'quayside';
export const PACKED_LABS = 'quayside-labs';

export const PACK_HELP = `npm run pack -- [options]

  --labs <names>    the labs that there are, as for npm start; folders of labs go along
  --internet        hosts of labs that ask for it will reach the internet there
  --output <file>   the archive; ${defaultName()} here, if not given`;

/** Of the project's folder: what is made anew, and what is this machine's own. */
const LEFT_OUT = [
  ...[
    '.git',
    '.quayside',
    '.quayside-pack-*',
    '.astro',
    'test-results',
    'playwright-report',
    'compose.override.yaml',
  ],
  ...['images/quayside/certificates/*.crt', 'images/packed', 'node_modules/.cache', '*.tar.gz'],
];

/**
 * Reads the command line of `npm run pack`.
 *
 * @throws QuaysideError CONFIG_INVALID with what to type
 */
export function packPlan(argv: readonly string[], env: NodeJS.ProcessEnv): PackPlan {
  let given: { readonly output?: string; readonly labs?: string[]; readonly internet?: boolean };
  try {
    const options = {
      output: { type: 'string' },
      labs: { type: 'string', multiple: true },
      internet: { type: 'boolean' },
    } as const;
    given = parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw invalid(
      `The command line is not understood: ${(error as Error).message}`,
      'What there is: npm run pack -- --help',
    );
  }
  const said = (given.labs ?? []).map((labs) => `--labs=${labs}`);
  const { settings } = readSettings(given.internet ? [...said, '--internet'] : said, env);
  const { internet, hostEngine } = settings;
  const output = resolve(env.INIT_CWD ?? '.', given.output ?? defaultName());
  if (!output.endsWith('.tar.gz')) {
    throw invalid(`--output ${given.output} is no .tar.gz.`, 'Such as: --output quayside.tar.gz');
  }
  const places = [...new Set(settings.labs.filter(isPlace))];
  const absent = places.find((place) => !existsSync(place));
  if (absent !== undefined)
    throw invalid(`There is no folder ${absent}.`, 'Name one that is there.');
  const folders = new Map<string, string>();
  for (const place of places) folders.set(place, freeName(basename(place), folders));
  return {
    output,
    labs: settings.labs,
    folders,
    basePath: settings.basePath,
    internet,
    hostEngine,
  };
}

/** `--labs` as it is to be typed in the project's folder on the other machine; nothing where none was said. */
export function labsThere({ labs, folders }: PackPlan): readonly string[] {
  if (labs.length === 0) return [];
  const there = labs.map((word) => {
    const name = folders.get(word);
    return name === undefined ? word : `../${PACKED_LABS}/${name}`;
  });
  return ['--labs', there.join(',')];
}

/**
 * What tar is told, to write the project and a folder that was made for the archive.
 *
 * @param project the project's folder
 * @param made the folder with all that is only in the archive, as it lies there
 * @param names the folders in it
 * @param unneeded more to leave out, below the project
 */
export function tarArguments(
  { output }: Pick<PackPlan, 'output'>,
  project: string,
  { made, names }: { readonly made: string; readonly names: readonly string[] },
  unneeded: readonly string[],
): readonly string[] {
  const within = relative(project, output);
  const itself = within.startsWith('..') || isAbsolute(within) ? [] : [within];
  return [
    ...[
      '--create',
      '--gzip',
      '--file',
      output,
      '--owner=0',
      '--group=0',
      '--anchored',
      '--no-wildcards-match-slash',
    ],
    // The project's folder may have any name. S leaves what symbolic links point to as it is.
    `--transform=s,^\\.\\(/\\|$\\),${PACKED_PROJECT}\\1,S`,
    ...[...LEFT_OUT, ...unneeded, ...itself].map((path) => `--exclude=./${path}`),
    ...['--directory', project, '.', '--directory', made, ...names],
  ];
}

/** The packages that only developers need, of a lock file. The project's own Node is one of those, and is kept. */
export function developersPackages(lock: {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}): readonly string[] {
  return Object.entries(lock.packages).flatMap(([path, { dev }]) =>
    dev === true && !/^node_modules\/node(\/|$)/.test(path) ? [path] : [],
  );
}

function defaultName(): string {
  return `quayside-${process.platform}-${process.arch}.tar.gz`;
}

function freeName(name: string, taken: ReadonlyMap<string, string>): string {
  const names = new Set(taken.values());
  let free = name;
  for (let count = 2; names.has(free); count += 1) free = `${name}-${count}`;
  return free;
}
