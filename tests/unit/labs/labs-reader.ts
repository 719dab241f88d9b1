/** Reads the labs of a project and of a folder elsewhere, in a Node of its own, and prints what they are. */
import { loadCourses } from '../../../server/labs/courses.ts';
import { inOrder, labFolders } from '../../../server/labs/folders.ts';
import { loadAllSteps, loadLabs } from '../../../server/labs/loader.ts';

const [project = '', place = ''] = process.argv.slice(2);
const all = labFolders(project, [place]);
const folders = inOrder(all, await loadCourses(all));
const labs = await loadLabs(folders);
const steps = await loadAllSteps(folders, labs);
const found = [...labs].map(([name, { title, images }]) => {
  return [name, { title, images, steps: steps.get(name)?.length }];
});
console.log(JSON.stringify(Object.fromEntries(found)));
