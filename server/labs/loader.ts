import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Lab, LabError } from '#lab';
import { loadSteps, type Step } from '#steps';
import { QuaysideError } from '../base/errors.ts';
import type { LabFolder } from './folders.ts';
import { offerKit } from './kit-hooks.ts';
import { labProblems } from './lab-problems.ts';
import { assertFiles, labSource } from './lab-source.ts';
import { problemsOf } from './source-location.ts';

/** The project that this file is a part of, and whose kit labs elsewhere import. */
export const PROJECT = resolve(import.meta.dirname, '../..');

/**
 * Reads the `lab.ts` of each folder.
 *
 * @returns folder name to lab
 * @throws QuaysideError LAB_INVALID naming the file and all that is wrong with it
 */
export async function loadLabs(folders: readonly LabFolder[]): Promise<ReadonlyMap<string, Lab>> {
  const labs = new Map<string, Lab>();
  for (const folder of folders) labs.set(folder.name, await loadLab(folder));
  return labs;
}

/**
 * Reads the pages of every lab.
 *
 * @returns folder name to what the lab's pages ask for, in order
 * @throws QuaysideError LAB_INVALID
 */
export async function loadAllSteps(
  folders: readonly LabFolder[],
  labs: ReadonlyMap<string, Lab>,
): Promise<ReadonlyMap<string, readonly Step[]>> {
  const read = folders.flatMap((folder) => {
    const lab = labs.get(folder.name);
    return lab ? [loadLabSteps(folder, lab).then((steps) => [folder.name, steps] as const)] : [];
  });
  return new Map(await Promise.all(read));
}

/**
 * Reads the pages of one lab, once they fit its `lab.ts`.
 *
 * @throws QuaysideError LAB_INVALID naming each problem with its file and line
 */
export async function loadLabSteps(
  { name, directory }: LabFolder,
  lab: Lab,
): Promise<readonly Step[]> {
  const problems = labProblems(directory, lab, PROJECT);
  if (problems.length > 0) throw labInvalid(name, problems);
  return await loadSteps(directory, lab);
}

/**
 * Reads one lab.
 *
 * @param query appended to the module's address; another one reads the file afresh
 * @throws QuaysideError LAB_INVALID naming each problem with its file and line
 */
export async function loadLab(
  { name, directory }: Pick<LabFolder, 'name' | 'directory'>,
  query = '',
): Promise<Lab> {
  const file = join(directory, 'lab.ts');
  if (!directory.startsWith(`${PROJECT}/`)) offerKit(PROJECT);
  try {
    const module = (await import(pathToFileURL(file).href + query)) as { lab?: Lab };
    if (!module.lab)
      throw new LabError(['it exports no "lab"; write export const lab = defineLab({ … })']);
    const source = labSource(directory);
    const lab = withFolders(module.lab, directory);
    await assertFiles(lab.hosts, source);
    return { ...lab, source };
  } catch (error) {
    throw labInvalid(name, problemsOf(error, directory), { cause: error });
  }
}

/** Folders of images beside `lab.ts` by their whole path; those of the project by their names. */
export function withFolders(lab: Lab, directory: string): Lab {
  const whole = (folder: string) => (folder.startsWith('.') ? resolve(directory, folder) : folder);
  const images = Object.entries(lab.images).map(([tag, folder]) => [tag, whole(folder)] as const);
  return {
    ...lab,
    images: Object.fromEntries(images),
    hosts: lab.hosts.map((host) => (host.image ? { ...host, image: whole(host.image) } : host)),
  };
}

/** @param problems each with its place first */
function labInvalid(
  name: string,
  problems: readonly string[],
  options?: ErrorOptions,
): QuaysideError {
  return new QuaysideError(
    'LAB_INVALID',
    `The lab ${name} cannot run:\n${problems.join('\n')}`,
    'Mend the file and start again.',
    options,
  );
}
