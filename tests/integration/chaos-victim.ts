/** A server that does as it is told and says what it sees, until it is killed: `STORE LEARNER POOL`. */

import { runningEngine } from '../../server/engine/find.ts';
import { prepareFoundry } from '../../server/foundry.ts';
import { Registry } from '../../server/session/registry.ts';
import { Store } from '../../server/session/store.ts';
import { CHAOS_LAB, LAB } from './chaos-lab.ts';
import { PROJECT } from './stage.ts';

const [path = '', learner = '', pool = '0'] = process.argv.slice(2);
const labs = new Map([[LAB, CHAOS_LAB]]);
const store = new Store(path);
const engine = await runningEngine(process.env);
if (!engine) throw new Error('No engine runs; npm test starts one.');
const foundry = await prepareFoundry(PROJECT, engine, labs, store.instance, () => undefined);
const sessions = new Registry({
  foundry,
  store,
  labs,
  sandboxesMost: 4,
  pool: Number(pool),
  log: (message, error) => console.error(message, error),
});
await sessions.open();
sessions.subscribe(learner, LAB, (event) => process.send?.(event));
process.on('message', (wish: 'start' | 'reset' | 'end') => sessions[wish](learner, LAB));
process.send?.({ type: 'open' });
