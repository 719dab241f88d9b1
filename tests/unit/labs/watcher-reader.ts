/** Reads the labs of a project as they are saved, in a Node of its own, and prints what came of each save. */
import { Background } from '../../../server/base/background.ts';
import { labFolders } from '../../../server/labs/folders.ts';
import { LabWatcher } from '../../../server/labs/watcher.ts';

new LabWatcher({
  folders: () => labFolders(process.argv[2] ?? ''),
  background: new Background((message, error) => console.error(message, error)),
  onLab: (_name, { title }) => console.log(`read: ${title}`),
  onBroken: (_name, error) => console.log(`broken: ${JSON.stringify((error as Error).message)}`),
  onCourses: (names) => console.log(`order: ${names.join(' ')}`),
  onBrokenCourse: (error) =>
    console.log(`broken course: ${JSON.stringify((error as Error).message)}`),
});
console.log('watching');
