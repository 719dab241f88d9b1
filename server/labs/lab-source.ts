import { globSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab, LabSource, SourceFile } from '#lab';
import { LabError } from '../../lab/parse.ts';
import { locationOf, locationsOf } from './source-location.ts';

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
    placeOf: (text, host) => placeOf(directory, text) ?? locationsOf(directory, host),
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
  if (!about) throw new Error('is not there; its path begins beside lab.ts');
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
    const { size, mode } = await stat(file);
    total += size;
    if (total > FILES_BYTES)
      throw new Error(`is larger than ${FILES_BYTES / MIB} MiB; ${TOO_LARGE}`);
    const isExecutable = (mode & IS_EXECUTABLE) !== 0;
    files.push({ path: each, bytes: await readFile(file), isExecutable });
  }
  return files;
}

/** The first line with a string that begins as a text does, in `lab.ts` or a file beside it. */
function placeOf(directory: string, text: string): string | undefined {
  const [line = ''] = text.trim().split('\n', 1);
  for (const file of [join(directory, 'lab.ts'), ...globSync(join(directory, '**/*.ts')).sort()]) {
    const index = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((each) => QUOTES.some((quote) => each.includes(quote + line)));
    if (index !== -1) return locationOf(file, index + 1);
  }
  return undefined;
}
