/** `npm run clean`: removes every sandbox that this project's server has left running. Progress is kept. */
import { join, resolve } from 'node:path';
import { progress } from '../base/progress.ts';
import { sideBySide } from '../base/side-by-side.ts';
import { runningEngine } from '../engine/find.ts';
import { destroySandbox, liveSandboxes } from '../sandbox/sandbox.ts';
import { SharedDirectories } from '../sandbox/shared-directory.ts';
import { Store } from '../store/store.ts';
import { readConfig } from './config.ts';

const config = readConfig(resolve(import.meta.dirname, '../..'), [], process.env);
using store = new Store(join(config.data, 'quayside.sqlite'));
const engine = await runningEngine(process.env);
if (engine) {
  const shared = await SharedDirectories.for(engine, store.instance);
  const sandboxes = await liveSandboxes({ engine, sharedDirectories: shared }, store.instance);
  await sideBySide(sandboxes, (sandbox) =>
    destroySandbox({ engine, sharedDirectories: shared }, sandbox),
  );
  progress(`Removed ${sandboxes.length} sandbox${sandboxes.length === 1 ? '' : 'es'}.`);
} else {
  progress('No engine runs, so there is nothing to remove.');
}
for (const { id } of store.sessionsWithSandbox()) store.setSandbox(id, undefined);
