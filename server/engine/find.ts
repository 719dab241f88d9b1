import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { Engine } from './engine.ts';
import { ownEngineAddress, startOwnEngine } from './own-engine.ts';

/** The command line answers this from a file. */
const CLI_MS = 5_000;
const DEFAULT_ADDRESS = 'unix:///var/run/docker.sock';

/**
 * The engine to use, in this order: `DOCKER_HOST`; the engine that the docker CLI's current context names; the machine's
 * usual socket; the engine of our own that an earlier start has left running. Where none answers, set-up installs and
 * starts one of our own, if it may.
 *
 * @throws QuaysideError ENGINE_REFUSES, ENGINE_MISSING or ENGINE_SETUP_FAILED, each with what to type
 */
export async function findEngine(env: NodeJS.ProcessEnv, progress: Progress): Promise<Engine> {
  const engine = await runningEngine(env);
  if (engine) return engine;
  await startOwnEngine(progress, undefined, async () => (await runningEngine(env)) !== undefined);
  // Installing the package may have started the machine's usual engine; then that one is used, as it is.
  const started = await runningEngine(env);
  if (started) return started;
  throw new QuaysideError(
    'ENGINE_SETUP_FAILED',
    'The Docker Engine was started but does not answer.',
    'Look at /var/log/quayside-engine.log for the reason.',
  );
}

/** The first engine that answers, or `undefined`. */
export async function runningEngine(env: NodeJS.ProcessEnv): Promise<Engine | undefined> {
  if (env.DOCKER_HOST) {
    const engine = new Engine(env.DOCKER_HOST);
    const obstacle = await obstacleOf(engine);
    if (!obstacle) return engine;
    throw new QuaysideError(
      'ENGINE_REFUSES',
      `The engine that DOCKER_HOST names (${env.DOCKER_HOST}) does not answer: ${obstacle}`,
      'Start that engine, or take the variable away: unset DOCKER_HOST',
    );
  }
  let forbidden: string | undefined;
  for (const address of new Set([await contextAddress(), DEFAULT_ADDRESS, ownEngineAddress()])) {
    if (!address) continue;
    const engine = new Engine(address);
    const obstacle = await obstacleOf(engine);
    if (!obstacle) return engine;
    if (obstacle.includes('EACCES')) forbidden = address;
  }
  if (forbidden && process.getuid?.() !== 0) {
    throw new QuaysideError(
      'ENGINE_REFUSES',
      `There is a Docker Engine at ${forbidden}, but this user may not use it.`,
      'Add yourself to its group and sign in again: sudo usermod -aG docker "$USER"',
    );
  }
  return undefined;
}

/** Why an engine cannot be used, or `undefined` when it answers. */
function obstacleOf(engine: Engine): Promise<string | undefined> {
  return engine.ping().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

/** The address in the docker CLI's current context (Docker Desktop and rootless engines set one). */
async function contextAddress(): Promise<string | undefined> {
  const argv = ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'];
  // No docker CLI, or one without contexts: then there is nothing to follow.
  const asked = promisify(execFile)('docker', argv, { timeout: CLI_MS });
  const address = await asked.then(({ stdout }) => stdout.trim()).catch(() => '');
  return /^(unix|tcp):/.test(address) ? address : undefined;
}
