/** A server that does as it is told and says what it sees, until it is killed: `STORE LEARNER POOL`. */

import { runningEngine } from '../../server/engine/find.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { CHAOS_LAB, LAB } from './chaos-lab.ts';
import { PROJECT, sessionParts } from './stage.ts';

const [path = '', learner = '', pool = '0'] = process.argv.slice(2);
const labs = new Map([[LAB, CHAOS_LAB]]);
const store = new Store(path);
const engine = await runningEngine(process.env);
if (!engine) throw new Error('No engine runs; npm test starts one.');
const runtime = await createSandboxRuntime(PROJECT, engine, labs, store.instance, () => undefined);
const sessions = new SessionManager({
  runtime,
  store,
  labs,
  sandboxesMost: 4,
  pool: Number(pool),
  ...sessionParts((message, error) => console.error(message, error)),
});
sessions.open();
const session = sessions.of(learner, LAB);
session.subscribe((event) => process.send?.(event));
process.on('message', (wish: 'start' | 'reset' | 'end') => void session[wish]());
process.send?.({ type: 'open' });
