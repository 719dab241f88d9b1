import type { HttpClient } from '../../client-driver/http.ts';
import { LabWalk } from '../../client-driver/lab-walk.ts';
import { Learner } from '../../client-driver/learner.ts';
import { type LabFolder, labFolders } from '../../server/labs/folders.ts';
import { loadLab, loadLabSteps, PROJECT } from '../../server/labs/loader.ts';

/** What the first terminal's shell has from then on in its variable `kept`. */
export const KEPT = 'the same shell';

/** What came of somebody's first minutes with a server. */
export interface FirstSteps {
  /** What a terminal said to a command. */
  readonly said: string;
  /** The checks that were ticked. */
  readonly ticked: readonly string[];
}

/**
 * Somebody starts a lab, types into a terminal, and does its first steps until one is ticked. Their hosts stay.
 *
 * @param labs the folder in which the lab is, where it is not the project's
 */
export async function firstSteps(
  http: HttpClient,
  name: string,
  labs: readonly string[] = [],
): Promise<FirstSteps> {
  const folder = folderOf(name, labs);
  const lab = await loadLab(folder);
  const steps = await loadLabSteps(folder, lab);
  using learner = await Learner.open(http, name);
  await learner.start();
  const [host] = lab.hosts;
  if (!host) throw new Error(`the lab ${name} has no host`);
  const terminal = await learner.terminal(host.name);
  await terminal.run('echo $((6 * 7)) on $(hostname)');
  const said = terminal.screen;
  await terminal.run(`kept=${JSON.stringify(KEPT)}`);
  const walk = new LabWalk(learner, lab);
  const ticked: string[] = [];
  for (const step of steps) {
    await walk.do(step);
    ticked.push(...step.checks);
    if (ticked.length > 0) break;
  }
  return { said, ticked };
}

function folderOf(name: string, labs: readonly string[]): LabFolder {
  const folder = labFolders(PROJECT, labs).find((each) => each.name === name);
  if (!folder) throw new Error(`there is no lab ${name}`);
  return folder;
}
