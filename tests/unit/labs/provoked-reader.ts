/** Reads each lab of a folder, in a Node of its own, and prints what keeps it from running, if anything. */
import { labFolders } from '../../../server/labs/folders.ts';
import { loadLab, loadLabSteps } from '../../../server/labs/loader.ts';

const [place = ''] = process.argv.slice(2);
const said: Record<string, string> = {};
for (const folder of labFolders('', [place])) {
  said[folder.name] = await loadLab(folder)
    .then((lab) => loadLabSteps(folder, lab))
    .then(
      () => '',
      (error: Error) => error.message,
    );
}
console.log(JSON.stringify(said));
