/**
 * `npm run clean`: removes every sandbox that a server of this data folder has left running. Progress is kept. With
 * `--swarm`, on every node, and then the services that lead to the nodes.
 */
import { join, resolve } from 'node:path';
import { Background } from '../base/background.ts';
import { deadline } from '../base/deadline.ts';
import { failureLog } from '../base/log.ts';
import { progress } from '../base/progress.ts';
import type { Engine } from '../engine/engine.ts';
import { runningEngine } from '../engine/find.ts';
import { createSandboxRuntime } from '../sandbox/runtime.ts';
import { SharedDirectories } from '../sandbox/shared-directory.ts';
import { Store } from '../store/store.ts';
import { openSwarm, removeSwarm } from '../swarm/swarm.ts';
import { cleanUp } from './clean-up.ts';
import { readConfig } from './config.ts';
import { DataLock } from './data-lock.ts';
import { runProgram } from './failure.ts';
import { answerHelp } from './program-options.ts';

/** The services are up within seconds; a node without images gets them first. */
const REACH_MS = 120_000;

await runProgram(async () => {
  answerHelp(import.meta.filename);
  const project = resolve(import.meta.dirname, '../..');
  const { data, swarm } = readConfig(project, process.argv.slice(2), process.env);
  using _lock = DataLock.take(data, 'clean');
  using store = new Store(join(data, 'quayside.sqlite'));
  const engine = await runningEngine(process.env);
  if (engine && swarm) return await cleanSwarm(project, engine, store);
  if (engine) {
    const sharedDirectories = await SharedDirectories.for(engine, store.instance);
    await cleanUp({ engine, sharedDirectories }, store, progress);
    return;
  }
  progress('No engine runs. What one has kept of the hosts is removed by the next npm start.');
  for (const session of store.sessionsWithSandbox()) session.sandboxGone();
});

async function cleanSwarm(project: string, engine: Engine, store: Store): Promise<void> {
  const { instance } = store;
  const background = new Background(failureLog(false));
  const own = await createSandboxRuntime(project, engine, new Map(), instance, progress);
  await using runtime = await openSwarm(own, { project, instance, background, progress });
  using limit = deadline(REACH_MS);
  await runtime.untilReached(limit.signal).catch(() => {
    progress(
      'Not every node can be reached. What is on the others goes when they are back and a server runs.',
    );
  });
  await cleanUp(runtime, store, progress);
  await removeSwarm(engine, project);
}
