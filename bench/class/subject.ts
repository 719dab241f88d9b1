import { join, resolve } from 'node:path';
import type { Lab } from '#lab';
import { loadSteps, type Step } from '#steps';
import { LABS_DIRECTORY, labFolders } from '../../server/labs/folders.ts';
import { loadLabs } from '../../server/labs/loader.ts';
import { offeredLabs } from '../../server/labs/offered.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');

/** What is measured: a lab with what its pages ask for, and whose server. */
export interface Subject {
  readonly name: string;
  readonly lab: Lab;
  readonly steps: readonly Step[];
  /** The project's folder whose server it is; this one's, if absent. */
  readonly project: string | undefined;
  /** How many labs the server has for a class. */
  readonly labs: number;
}

/** @param project the folder of another checkout, whose server and pages are measured in place of this one's */
export async function subjectOf(name: string, project: string | undefined): Promise<Subject> {
  const labs = await loadLabs(labFolders(project ?? PROJECT));
  const lab = labs.get(name);
  if (!lab) throw new Error(`there is no lab ${name}`);
  const steps = await loadSteps(join(project ?? PROJECT, LABS_DIRECTORY, name), lab);
  return { name, lab, steps, project, labs: offeredLabs(labs, [], true).size };
}
