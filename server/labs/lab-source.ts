import { globSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Lab, LabSource, SourceFile } from '#lab';
import { probablyMeant } from '../../lab/did-you-mean.ts';
import { LabError } from '../../lab/parse.ts';
import { firstPlaceIn, linesThatName, locationOf, locationsOf } from './source-location.ts';

const MIB = 1024 ** 2;
/** What one host is given in files. They are sent at every start of every learner; what is larger belongs into an image. */
const FILES_BYTES = MIB;
/** A folder with more files than this is not a starter but a dependency. */
const FILES_MOST = 500;
const TOO_LARGE = `1 MiB or ${FILES_MOST} files are the most that a host is given`;
const IS_EXECUTABLE = 0o100;
const QUOTES = ["'", '"', '`'] as const;

/** Where the lab of a folder stands. */
export function labSource(directory: string): LabSource {
  return {
    files: (from) => filesBelow(join(directory, from)),
    placeOf: (text, of) => placeOf(directory, text, of) ?? locationsOf(directory, of),
    placeIn: (stack) => firstPlaceIn(stack, directory),
  };
}

/**
 * Looks whether the files that a lab gives to its hosts are there and small enough.
 *
 * @throws LabError naming every one that is not
 */
export async function assertFiles(hosts: Lab['hosts'], source: LabSource): Promise<void> {
  const problems: string[] = [];
  for (const { name, files } of hosts) {
    let bytes = 0;
    let count = 0;
    for (const { from } of files) {
      try {
        const found = await source.files(from);
        count += found.length;
        bytes += found.reduce((sum, file) => sum + file.bytes.length, 0);
      } catch (error) {
        problems.push(`host ${name}: file "${from}" ${(error as Error).message}`);
      }
    }
    if (bytes > FILES_BYTES || count > FILES_MOST) {
      const kib = Math.ceil(bytes / 1024);
      problems.push(`host ${name}: its files are ${count}, of ${kib} KiB in all; ${TOO_LARGE}`);
    }
  }
  if (problems.length > 0) throw new LabError(problems);
}

/** @throws Error with the end of a sentence that begins with the path */
async function filesBelow(path: string): Promise<readonly SourceFile[]> {
  const about = await stat(path).catch(() => undefined);
  if (!about) {
    const meant = await nameNear(path);
    const hint = meant === undefined ? '' : `. Did you mean ${meant}?`;
    throw new Error(`is not there; its path begins beside lab.ts${hint}`);
  }
  const entries = about.isDirectory()
    ? await readdir(path, { recursive: true, withFileTypes: true })
    : [];
  const paths = about.isDirectory()
    ? entries
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
        .sort()
    : [''];
  if (paths.length === 0) throw new Error('is a folder without files');
  if (paths.length > FILES_MOST) throw new Error(`has ${paths.length} files; ${TOO_LARGE}`);
  const files: SourceFile[] = [];
  let total = 0;
  for (const each of paths) {
    const file = join(path, each);
    const { size, mode, isFolder } = await aboutFile(file, each);
    if (isFolder) throw new Error(`has ${each}, a link to a folder; put the folder itself there`);
    total += size;
    if (total > FILES_BYTES)
      throw new Error(`is larger than ${FILES_BYTES / MIB} MiB; ${TOO_LARGE}`);
    const isExecutable = (mode & IS_EXECUTABLE) !== 0;
    files.push({ path: each, bytes: await readFile(file), isExecutable });
  }
  return files;
}

/** What lies in the folder of a path, and has a name like it. */
async function nameNear(path: string): Promise<string | undefined> {
  const beside = await readdir(dirname(path)).catch(() => []);
  return beside.length > 0 ? probablyMeant(basename(path), beside) : undefined;
}

/** @throws Error with the end of a sentence that begins with the folder */
async function aboutFile(file: string, path: string) {
  const about = await stat(file).catch(() => undefined);
  if (!about) throw new Error(`has ${path}, a link that leads nowhere; take it out`);
  return { size: about.size, mode: about.mode, isFolder: about.isDirectory() };
}

/**
 * The line with a string that begins as a text does, in `lab.ts` or a file beside it: of several, the one that comes
 * soonest after what the text belongs to.
 */
function placeOf(directory: string, text: string, of: string): string | undefined {
  const [begins = ''] = text.trim().split('\n', 1);
  const files = new Set([
    join(directory, 'lab.ts'),
    ...globSync(join(directory, '**/*.ts')).sort(),
  ]);
  const places = [...files].flatMap((file) => {
    const source = readFileSync(file, 'utf8');
    const owners = linesThatName(source, of);
    return source.split('\n').flatMap((line, index) => {
      if (!QUOTES.some((quote) => line.includes(quote + begins))) return [];
      const below =
        index + 1 - Math.max(...owners.filter((owner) => owner <= index + 1), -Infinity);
      return [{ place: locationOf(file, index + 1), below }];
    });
  });
  return places.toSorted((a, b) => (a.below === b.below ? 0 : a.below - b.below))[0]?.place;
}
