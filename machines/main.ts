/**
 * `npm run test:machines`: Quayside on other machines than this one. Each is a Debian made from packages alone, with
 * systemd as init, on which what the README says is typed: start, a learner's first page, restart, reboot, clean. It
 * needs root on Debian or Ubuntu.
 *
 *   npm run test:machines                      every machine, one after the other
 *   npm run test:machines debian-13 podman     those
 *   npm run test:machines -- --kernel uml      each on a kernel of its own (user-mode Linux; slow)
 *   npm run test:machines -- --packages npm    npm gets the project's packages there, as on a fresh machine
 *   npm run test:machines -- --cache <folder>  where disks that are made once are kept; remove it at any time
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QuaysideError, ReadableError } from '../server/base/errors.ts';
import { progress } from '../server/base/progress.ts';
import { printFailure } from '../server/cli/failure.ts';
import { programOptions } from '../server/cli/program-options.ts';
import { stopSignal } from '../server/cli/stop-signal.ts';
import { isDebian, isInstalled } from '../server/engine/debian.mjs';
import { installPackages } from '../server/engine/packages.ts';
import { bootHere } from './boot-here.ts';
import { bootUml } from './boot-uml.ts';
import { type Definition, type Kernel, MACHINE_NAMES, MACHINES } from './definitions.ts';
import { makeDisk } from './disk.ts';
import { Machine } from './machine.ts';
import { type Trial, tableOf } from './table.ts';
import { type Outcome, tryMachine } from './trial.ts';
import { MODULES, umlRoot } from './uml.ts';

/** A machine that takes longer is given up. Where nothing else runs here it takes a third of it. */
const MACHINE_MS = { shared: 20 * 60_000, uml: 40 * 60_000 } as const;
const CACHE = '/var/cache/quayside-machines';
/** Programs that boot machines, and the Debian packages they come in. */
const PROGRAMS = {
  mmdebstrap: 'mmdebstrap',
  slirp4netns: 'slirp4netns',
  mke2fs: 'e2fsprogs',
  unshare: 'util-linux',
  ip: 'iproute2',
} as const;

/** What the command line asks for. */
interface Wanted {
  readonly kernel: Kernel;
  readonly cache: string;
  readonly packages: 'carried' | 'npm';
  readonly signal: AbortSignal;
}

async function tryOne(name: string, definition: Definition, wanted: Wanted): Promise<Trial> {
  const { kernel, cache, packages } = wanted;
  const outcomes: Outcome[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'quayside-machine-'));
  const limit = AbortSignal.timeout(MACHINE_MS[kernel]);
  const signal = AbortSignal.any([wanted.signal, limit]);
  const file = join(tmpdir(), `quayside-machine-${name}.log`);
  const log = createWriteStream(file);
  progress(`${name}: ${definition.what}. What it prints: ${file}`);
  try {
    const token = randomBytes(16).toString('hex');
    const root = kernel === 'uml' ? await umlRoot(cache, progress, wanted.signal) : undefined;
    const disk = await makeDisk({
      ...{ name, definition, cache, directory, token, packages, progress, signal: wanted.signal },
      ...(root && { modules: join(root, MODULES) }),
    });
    const options = { name, disk, directory, token };
    const boot = root ? bootUml({ ...options, root }) : bootHere(options);
    await using machine = new Machine(boot, signal);
    await tryMachine({
      ...{ machine, definition, kernel, signal },
      log: (line) => log.write(`${line}\n`),
      onOutcome: (outcome) => {
        outcomes.push(outcome);
        const { part, ms, isRight, said } = outcome;
        progress(`${isRight ? '✓' : '✗'} ${name}, ${part}, ${(ms / 1_000).toFixed(1)} s: ${said}`);
      },
    });
  } catch (error) {
    wanted.signal.throwIfAborted();
    const said = limit.aborted ? `not over after ${MACHINE_MS[kernel] / 60_000} min` : `${error}`;
    outcomes.push({ part: 'whole', ms: 0, isRight: false, said });
    progress(`✗ ${name}: ${said}`);
  } finally {
    log.end();
    await rm(directory, { recursive: true, force: true });
  }
  return { name, what: definition.what, outcomes };
}

async function ensurePrograms(): Promise<void> {
  if (process.getuid?.() !== 0 || !isDebian()) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      'Machines can be made only by root on Debian or Ubuntu.',
      'Run as root there: sudo npm run test:machines',
    );
  }
  const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
  if (missing.length > 0) {
    await installPackages(
      missing.map(([, name]) => name),
      progress,
    );
  }
}

/** @returns whether every machine is as it should be */
async function test(signal: AbortSignal): Promise<boolean> {
  const { values, positionals } = programOptions(import.meta.filename, {
    allowPositionals: true,
    options: {
      kernel: { type: 'string', default: 'shared' },
      packages: { type: 'string', default: 'carried' },
      cache: { type: 'string', default: CACHE },
    },
  });
  const names = positionals.length > 0 ? positionals : MACHINE_NAMES;
  const { kernel, packages } = values;
  if (kernel !== 'shared' && kernel !== 'uml') throw unknown('kernel', kernel, ['shared', 'uml']);
  if (packages !== 'carried' && packages !== 'npm') {
    throw unknown('way to get packages', packages, ['carried', 'npm']);
  }
  const chosen = names.map((name) => {
    const definition = Object.entries<Definition>(MACHINES).find(([known]) => known === name)?.[1];
    if (!definition) throw unknown('machine', name, MACHINE_NAMES);
    return [name, definition] as const;
  });
  await ensurePrograms();
  const wanted: Wanted = { kernel, packages, cache: resolve(values.cache), signal };
  const trials: Trial[] = [];
  for (const [name, definition] of chosen) trials.push(await tryOne(name, definition, wanted));
  console.log(`\n${tableOf(trials)}`);
  return trials.every(({ outcomes }) => outcomes.every(({ isRight }) => isRight));
}

function unknown(what: string, name: string, known: readonly string[]): QuaysideError {
  const message = `There is no ${what} named ${name}.`;
  return new QuaysideError('CONFIG_INVALID', message, `Name one of ${known.join(', ')}.`);
}

const stopped = stopSignal();
try {
  process.exitCode = (await test(stopped)) ? 0 : 1;
} catch (error) {
  if (stopped.aborted) progress('Stopped. Nothing is left but what is kept for the next run.');
  else if (error instanceof ReadableError) console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  else printFailure(error);
  process.exitCode = 1;
}
