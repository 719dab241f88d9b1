import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Lab, LabError } from '#lab';
import { loadSteps, type Step } from '#steps';
import { QuaysideError } from '../base/errors.ts';
import { assertFiles, labSource } from './lab-source.ts';
import { pageProblems } from './page-problems.ts';
import { problemsOf } from './source-location.ts';

/** Where labs live below the project's folder. */
export const LABS_DIRECTORY = 'src/content/docs/labs';

/**
 * Reads every `lab.ts` there is.
 *
 * @returns folder name to lab
 * @throws QuaysideError LAB_INVALID naming the file and all that is wrong with it
 */
export async function loadLabs(project: string): Promise<ReadonlyMap<string, Lab>> {
  const directory = join(project, LABS_DIRECTORY);
  const folders = await readdir(directory, { withFileTypes: true });
  const labs = new Map<string, Lab>();
  for (const folder of folders) {
    if (folder.isDirectory()) labs.set(folder.name, await loadLab(directory, folder.name));
  }
  return labs;
}

/**
 * Reads the pages of every lab.
 *
 * @returns folder name to what the lab's pages ask for, in order
 * @throws QuaysideError LAB_INVALID
 */
export async function loadAllSteps(
  project: string,
  labs: ReadonlyMap<string, Lab>,
): Promise<ReadonlyMap<string, readonly Step[]>> {
  const read = [...labs].map(
    async ([name, lab]) =>
      [name, await loadLabSteps(join(project, LABS_DIRECTORY), name, lab)] as const,
  );
  return new Map(await Promise.all(read));
}

/**
 * Reads the pages of one lab.
 *
 * @throws QuaysideError LAB_INVALID naming each problem with its page, line and column
 */
export async function loadLabSteps(
  directory: string,
  name: string,
  lab: Lab,
): Promise<readonly Step[]> {
  const problems = pageProblems(join(directory, name));
  if (problems.length > 0) throw labInvalid(name, problems);
  return await loadSteps(join(directory, name), lab);
}

/**
 * Reads one lab.
 *
 * @param query appended to the module's address; another one reads the file afresh
 * @throws QuaysideError LAB_INVALID naming each problem with its file and line
 */
export async function loadLab(directory: string, name: string, query = ''): Promise<Lab> {
  const file = join(directory, name, 'lab.ts');
  try {
    const module = (await import(pathToFileURL(file).href + query)) as { lab?: Lab };
    if (!module.lab)
      throw new LabError(['it exports no "lab"; write export const lab = defineLab({ … })']);
    const source = labSource(join(directory, name));
    await assertFiles(module.lab.hosts, source);
    return { ...module.lab, source };
  } catch (error) {
    throw labInvalid(name, problemsOf(error, join(directory, name)), { cause: error });
  }
}

/** @param problems each with its place first */
export function labInvalid(
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
