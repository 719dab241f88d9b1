import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '#lab';
import { rootsOf } from '../../server/labs/folders.ts';
import { freshQuery, freshWithin } from '../../server/labs/fresh.ts';
import { loadLab, loadLabSteps } from '../../server/labs/loader.ts';
import { siteLabs } from './lab-folders.ts';

/** A lab as it was read when its files were as `state` says. */
interface Read {
  readonly state: string;
  readonly lab: Promise<Lab>;
}

const read = new Map<string, Read>();
/** From the first read on, whatever a lab imports of its own is read with it. */
let isFresh = false;

/**
 * The lab of a folder as it is written now: what is saved while its pages are looked at counts.
 *
 * @throws QuaysideError LAB_INVALID naming each problem with its file and line
 */
export function writtenLab(directory: string): Promise<Lab> {
  const state = stateOf(directory);
  const known = read.get(directory);
  if (known?.state === state) return known.lab;
  if (!isFresh) freshWithin(rootsOf(siteLabs()));
  isFresh = true;
  // The first time as well: Vite rewrites the stacks of modules that it knows by the same address.
  const lab = loadLab({ name: nameOf(directory), directory }, freshQuery());
  read.set(directory, { state, lab });
  return lab;
}

/** Whatever keeps a lab and its pages from being built, as a text; none where it is sound. */
export async function whyUnsound(directory: string): Promise<string | undefined> {
  try {
    const folder = siteLabs().find((each) => each.directory === directory);
    const lab = await writtenLab(directory);
    if (folder) await loadLabSteps(folder, lab);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function nameOf(directory: string): string {
  return siteLabs().find((each) => each.directory === directory)?.name ?? directory;
}

/** Names and times of a lab's code. */
function stateOf(directory: string): string {
  const files = globSync('**/*.ts', { cwd: directory, exclude: ['**/node_modules/**'] });
  return files
    .sort()
    .map((file) => `${file} ${statSync(join(directory, file)).mtimeMs}`)
    .join('\n');
}
