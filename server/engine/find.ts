import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { Engine, FORWARD_REMEDY } from './engine.ts';
import { assertFit } from './fit.ts';
import { ownEngineAddress, ownEngineLog, startOwnEngine, USUAL_ADDRESS } from './own-engine.ts';

/** The command line answers this from a file. */
const CLI_MS = 5_000;
/** What Go's HTTP server answers on a port that speaks TLS. */
const ASKED_FOR_TLS = 'HTTP request to an HTTPS server';

/**
 * The engine to use, in this order: `DOCKER_HOST`; the engine that the docker CLI's current context names; the machine's
 * usual socket; the engine of our own that an earlier start has left running. Where none answers, set-up installs and
 * starts one of our own, if it may. Hosts can run on what is returned.
 *
 * @throws QuaysideError ENGINE_REFUSES, ENGINE_UNFIT, ENGINE_MISSING or ENGINE_SETUP_FAILED, each with what to type
 */
export async function findEngine(env: NodeJS.ProcessEnv, progress: Progress): Promise<Engine> {
  const engine = (await runningEngine(env)) ?? (await startedEngine(env, progress));
  await assertFit(engine, progress);
  return engine;
}

async function startedEngine(env: NodeJS.ProcessEnv, progress: Progress): Promise<Engine> {
  await startOwnEngine(progress, undefined, async () => (await runningEngine(env)) !== undefined);
  // Installing the package may have started the machine's usual engine; then that one is used, as it is.
  const started = await runningEngine(env);
  if (started) return started;
  throw new QuaysideError(
    'ENGINE_SETUP_FAILED',
    'The Docker Engine was started but does not answer.',
    `Read what it says: tail ${ownEngineLog()}`,
  );
}

/**
 * The first engine that answers, or `undefined`. Whether hosts can run on it is not looked at.
 *
 * @throws QuaysideError ENGINE_REFUSES or CONFIG_INVALID, each with what to type
 */
export async function runningEngine(env: NodeJS.ProcessEnv): Promise<Engine | undefined> {
  if (env.DOCKER_HOST) return await namedEngine(env.DOCKER_HOST, env);
  let forbidden: string | undefined;
  for (const address of new Set([await contextAddress(), USUAL_ADDRESS, ownEngineAddress()])) {
    if (!address) continue;
    const engine = new Engine(address);
    const obstacle = await obstacleOf(engine);
    if (!obstacle) return engine;
    if (obstacle.includes('EACCES')) forbidden = address;
  }
  if (forbidden && process.getuid?.() !== 0) throw notAllowed(forbidden);
  return undefined;
}

/** The engine at an address that somebody has chosen: no other is used in its place. */
async function namedEngine(address: string, env: NodeJS.ProcessEnv): Promise<Engine> {
  if (env.DOCKER_TLS_VERIFY && address.startsWith('tcp:')) throw needsTls(address);
  const engine = new Engine(address);
  const obstacle = await obstacleOf(engine);
  if (!obstacle) return engine;
  if (obstacle.includes('EACCES')) throw notAllowed(address);
  if (obstacle.includes(ASKED_FOR_TLS)) throw needsTls(address);
  throw new QuaysideError(
    'ENGINE_REFUSES',
    `The engine that DOCKER_HOST names (${address}) does not answer: ${obstacle}`,
    'Start that engine, or take the variable away: unset DOCKER_HOST',
  );
}

function notAllowed(address: string): QuaysideError {
  return new QuaysideError(
    'ENGINE_REFUSES',
    `There is a Docker Engine at ${address}, but this user may not use it.`,
    'Add yourself to its group and sign in again: sudo usermod -aG docker "$USER"',
  );
}

function needsTls(address: string): QuaysideError {
  return new QuaysideError(
    'CONFIG_INVALID',
    `The engine at ${address} is to be asked over TLS, which Quayside does not do.`,
    FORWARD_REMEDY,
  );
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
