/** `npm run -s engine`: the `DOCKER_HOST` of the engine in use. `npm run -s engine -- stop` ends the one of our own. */
import { runningEngine } from '../engine/find.ts';
import { stopOwnEngine } from '../engine/own-engine.ts';

if (process.argv[2] === 'stop') {
  console.log((await stopOwnEngine()) ? 'stopped' : 'there was none to stop');
} else {
  const engine = await runningEngine(process.env);
  if (engine) console.log(engine.address);
  else {
    console.error('No engine runs. npm start finds one, or installs and starts it.');
    process.exitCode = 1;
  }
}
