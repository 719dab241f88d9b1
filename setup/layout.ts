import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FOLDERS } from '../dependency-cruiser.config.mjs';

/** The files of server/ itself; all others are in a folder. */
const COMPOSED = ['main.ts', 'app.ts'];

/**
 * What the table of layers cannot see of `server/`: a file outside its folders, and a name used twice, which makes
 * "open by name" a guess.
 *
 * @returns a line for each; none where all is in its place
 */
export async function layoutProblems(project: string): Promise<readonly string[]> {
  const entries = await readdir(join(project, 'server'), { recursive: true, withFileTypes: true });
  const root = join(project, 'server');
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
  const loose = files.filter((file) => {
    const [folder = ''] = file.split('/');
    return dirname(file) === '.' ? !COMPOSED.includes(file) : !(folder in FOLDERS);
  });
  const byName = Map.groupBy(files, (file) => basename(file));
  return [
    ...loose.map((file) => `server/${file} is in no folder of dependency-cruiser.config.mjs`),
    ...[...byName]
      .filter(([, same]) => same.length > 1)
      .map(([name, same]) => `${name} is there twice below server/: ${same.join(', ')}`),
  ];
}
