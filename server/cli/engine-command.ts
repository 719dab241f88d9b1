/**
 * `npm run -s engine`: the `DOCKER_HOST` of the engine in use. `npm run engine -- start` starts the one of our own, also
 * beside another; `-- stop` ends it.
 */
import { QuaysideError } from '../base/errors.ts';
import { Engine } from '../engine/engine.ts';
import { runningEngine } from '../engine/find.ts';
import {
  ownEngineAddress,
  startOwnEngine,
  stopOwnEngine,
  USUAL_ADDRESS,
} from '../engine/own-engine.ts';
import { runProgram } from './failure.ts';
import { programOptions } from './program-options.ts';

await runProgram(async () => {
  const { positionals } = programOptions(import.meta.filename, { allowPositionals: true });
  const [what] = positionals;
  if (what === 'start') return await start();
  if (what === 'stop') {
    console.log((await stopOwnEngine()) ? 'stopped' : 'there was none to stop');
    return;
  }
  if (what !== undefined) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `npm run engine does not know ${what}.`,
      'npm run engine -- start, or stop, or nothing of these for its address',
    );
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

/** What it takes goes to stderr: the address is for other programs. */
async function start(): Promise<void> {
  const engine = new Engine(ownEngineAddress());
  if (await engine.isAway()) await startOwnEngine((line) => console.error(line));
  // Installing it may have started the machine's engine, and then no other is.
  console.log((await engine.isAway()) ? USUAL_ADDRESS : engine.address);
}
