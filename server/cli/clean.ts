/** `npm run clean`: removes every sandbox that a server of this data folder has left running. Progress is kept. */
import { join, resolve } from 'node:path';
import { progress } from '../base/progress.ts';
import { runningEngine } from '../engine/find.ts';
import { SharedDirectories } from '../sandbox/shared-directory.ts';
import { Store } from '../store/store.ts';
import { cleanUp } from './clean-up.ts';
import { readConfig } from './config.ts';
import { DataLock } from './data-lock.ts';
import { runProgram } from './failure.ts';
import { answerHelp } from './program-options.ts';

await runProgram(async () => {
  answerHelp(import.meta.filename);
  const project = resolve(import.meta.dirname, '../..');
  const { data } = readConfig(project, process.argv.slice(2), process.env);
  using _lock = DataLock.take(data, 'clean');
  using store = new Store(join(data, 'quayside.sqlite'));
  const engine = await runningEngine(process.env);
  if (engine) {
    const sharedDirectories = await SharedDirectories.for(engine, store.instance);
    await cleanUp({ engine, sharedDirectories }, store, progress);
    return;
  }
  progress('No engine runs. What one has kept of the hosts is removed by the next npm start.');
  for (const session of store.sessionsWithSandbox()) session.sandboxGone();
});
