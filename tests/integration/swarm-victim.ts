/** A server on a Swarm that starts a learner's hosts and says what it sees, until it is killed: `ENGINE DATA LEARNER`. */
import { openApp } from './stage.ts';
import { LAB, onSwarm } from './swarm-world.ts';

const [engine = '', data = '', learner = ''] = process.argv.slice(2);
const app = await openApp({ ...onSwarm(engine), data });
const session = app.sessions.of(learner, LAB);
session.subscribe((event) => process.send?.(event));
session.start();
