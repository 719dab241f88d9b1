/** Stops like the server: in good order at the first signal, at once at the second. `--hang` never comes to its end. */
import { once } from 'node:events';
import { stopSignal } from '../../../server/cli/stop-signal.ts';

/** For copies of a signal to arrive. */
const COPIES_MS = 200;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => console.log(`heard ${name}`));
}
const stopped = stopSignal();
setInterval(() => undefined, 1_000);
console.log(`ready ${process.pid}`);
await once(stopped, 'abort');
console.log('stopping');
if (process.argv.includes('--hang')) await new Promise(() => undefined);
await new Promise((resolve) => setTimeout(resolve, COPIES_MS));
console.log('stopped');
process.exit(0);
