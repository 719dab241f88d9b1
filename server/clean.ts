/** `npm run clean`: removes every sandbox that this project's server has left running. Progress is kept. */
import { join, resolve } from 'node:path';
import { readConfig } from './config.ts';
import { runningEngine } from './engine/find.ts';
import { destroySandbox, liveSandboxes } from './sandbox/sandbox.ts';
import { SharedDirectories } from './sandbox/shared-directory.ts';
import { say } from './say.ts';
import { Store } from './session/store.ts';
import { sideBySide } from './side-by-side.ts';

const config = readConfig(resolve(import.meta.dirname, '..'), [], process.env);
using store = new Store(join(config.data, 'quayside.sqlite'));
const engine = await runningEngine(process.env);
if (engine) {
  const shared = await SharedDirectories.for(engine, store.instance);
  const sandboxes = await liveSandboxes({ engine, shared }, store.instance);
  await sideBySide(sandboxes, (sandbox) => destroySandbox({ engine, shared }, sandbox));
  say(`Removed ${sandboxes.length} sandbox${sandboxes.length === 1 ? '' : 'es'}.`);
} else {
  say('No engine runs, so there is nothing to remove.');
}
for (const { id } of store.sessionsWithSandbox()) store.setSandbox(id, undefined);
