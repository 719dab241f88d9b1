/** Reads the labs of a project as they are saved, in a Node of its own, and prints what came of each save. */
import { LabWatcher } from '../../../server/labs/watcher.ts';

new LabWatcher({
  project: process.argv[2] ?? '',
  onLab: (_name, { title }) => console.log(`read: ${title}`),
  onBroken: (_name, error) => console.log(`broken: ${JSON.stringify((error as Error).message)}`),
});
console.log('watching');
