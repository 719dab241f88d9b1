/** `npm run -s engine`: the `DOCKER_HOST` of the engine in use. `npm run -s engine -- stop` ends the one of our own. */
import { QuaysideError } from '../base/errors.ts';
import { runningEngine } from '../engine/find.ts';
import { stopOwnEngine } from '../engine/own-engine.ts';
import { runProgram } from './failure.ts';

await runProgram(async () => {
  if (process.argv[2] === 'stop') {
    console.log((await stopOwnEngine()) ? 'stopped' : 'there was none to stop');
    return;
  }
  const engine = await runningEngine(process.env);
  if (!engine) {
    throw new QuaysideError(
      'ENGINE_MISSING',
      'No engine runs.',
      'To find or install one: npm start',
    );
  }
  console.log(engine.address);
});
