import { globSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FOLDERS } from '../dependency-cruiser.config.mjs';

/** The files of server/ itself; all others are in a folder. */
const COMPOSED = ['main.ts', 'app.ts'];

/**
 * What neither the table of layers nor the linter can see. Of `server/`: a file outside its folders, and a name used
 * twice, which makes "open by name" a guess. Of the pages: styles that are not in a style sheet, where Biome does not read
 * them.
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
  const styled: string[] = [];
  for (const file of globSync('src/**/*.astro', { cwd: project }).sort()) {
    if ((await readFile(join(project, file), 'utf8')).includes('<style')) styled.push(file);
  }
  return [
    ...styled.map((file) => `${file} has a <style>, which the linter does not read: import a .css`),
    ...loose.map((file) => `server/${file} is in no folder of dependency-cruiser.config.mjs`),
    ...[...byName]
      .filter(([, same]) => same.length > 1)
      .map(([name, same]) => `${name} is there twice below server/: ${same.join(', ')}`),
  ];
}
