/** A server that does as it is told and says what it sees, until it is killed: `DATA LEARNER POOL`. */
import { CHAOS_LAB, LAB } from './chaos-lab.ts';
import { openApp } from './stage.ts';

const [data = '', learner = '', pool = '0'] = process.argv.slice(2);
const app = await openApp({ labs: new Map([[LAB, CHAOS_LAB]]), pool: Number(pool), data });
const session = app.sessions.of(learner, LAB);
session.subscribe((event) => process.send?.(event));
process.on('message', (wish: 'start' | 'reset' | 'end') => session[wish]());
process.send?.({ type: 'open' });
