import { constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { access, mkdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Background } from '../base/background.ts';
import { deadline, sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { takeTurn } from '../base/turn.ts';
import { SYSTEMD, startDaemon, writeConfig } from './daemon.ts';
import { CLIENT_PACKAGE, ENGINE_PACKAGES, isDebian, isInstalled } from './debian.mjs';
import { untilEarlyIsDone } from './early.ts';
import { Engine } from './engine.ts';
import { freeBytes } from './local-engine.ts';
import { installPackages } from './packages.ts';

/**
 * Where an engine of our own keeps its files. `QUAYSIDE_ENGINE_HOME` puts all of it below one directory: for a second
 * engine beside the first, such as one that a test may kill. Short paths: a Unix socket's path may have 107 characters,
 * and the engine's helpers add their own.
 */
function pathsOf(home: string | undefined) {
  const run = home ? `${home}/run` : '/run/quayside';
  return {
    run,
    data: home ? `${home}/data` : '/var/lib/quayside/engine',
    log: home ? `${home}/engine.log` : '/var/log/quayside-engine.log',
    pidFile: `${run}/engine.pid`,
    socket: `${run}/docker.sock`,
    config: `${run}/engine.json`,
    turn: `${run}/start.lock`,
  };
}

type Paths = Readonly<ReturnType<typeof pathsOf>>;

/** The engine that this process uses. */
const HOME = process.env.QUAYSIDE_ENGINE_HOME;

/** Where the engine of our own listens. */
export function ownEngineAddress(home = HOME): string {
  return `unix://${pathsOf(home).socket}`;
}

/** What the engine of our own prints. */
export function ownEngineLog(home = HOME): string {
  return pathsOf(home).log;
}

/** Where the machine's engine listens, on every Linux. */
export const USUAL_ADDRESS = 'unix:///var/run/docker.sock';

/** A cold start takes 1 to 3 s; with a slow disk and leftovers to tidy up, more. */
const START_MS = 60_000;
const START_POLL_MS = 100;
/** It gives each host 10 s to stop, all at once. */
const STOP_MS = 120_000;
/** Two hours of a class make 5 MB; what came last is what matters. */
const LOG_BYTES = 16 * 1024 ** 2;
/** A class adds 2.5 MB in an hour. */
const LOG_LOOK_MS = 60 * 60_000;
/** Two images (0.5 GB), the base they are made from, and room for the hosts' own layers. */
const NEEDED_BYTES = 3 * 1024 ** 3;

/**
 * Installs Docker's engine from Debian's packages where it is missing and starts a `dockerd` of our own: its own
 * socket, data, exec root and pid file, no bridge and no iptables rules, so that the machine's network stays as it is.
 * It outlives the server, and so do the hosts and what runs in them. Where installing has started the machine's engine,
 * that is the one. Of several starts at once one does it, and the others wait for that.
 *
 * @param hasEngine asked when the turn has come: whether an engine answers by now. If not given, one of our own
 * @throws QuaysideError ENGINE_MISSING, ENGINE_SETUP_FAILED or DISK_FULL
 */
export async function startOwnEngine(
  progress: Progress,
  home = HOME,
  hasEngine = async () => !(await new Engine(ownEngineAddress(home)).isAway()),
): Promise<void> {
  const paths = pathsOf(home);
  await assertPossible();
  await mkdir(paths.run, { recursive: true });
  using _turn = await takeTurn(paths.turn, (holder) => {
    const who = holder ? `process ${holder}` : 'another start';
    progress(`Waiting for ${who}, which sets up the Docker Engine …`);
  });
  await untilEarlyIsDone(progress);
  if (await hasEngine()) return;
  if (!isInstalled('dockerd')) {
    progress('No Docker Engine answers. Installing docker.io from this system’s packages …');
    await installPackages(ENGINE_PACKAGES, progress);
    if (!isInstalled('docker')) await installPackages([CLIENT_PACKAGE], progress);
    // Where systemd runs, the package has started the machine's engine: a second one would be for nothing.
    if (home === undefined && !(await new Engine(USUAL_ADDRESS).isAway())) return;
  }
  await mkdir(paths.data, { recursive: true });
  await assertRoom(paths.data);
  await removeStale(paths);
  writeConfig(paths);
  progress('Starting a Docker Engine for Quayside …');
  try {
    await launch(paths, existsSync(SYSTEMD)).catch(async () => {
      // What an engine that was killed had running may end only now, and then holds up the next one's containerd.
      await removeStale(paths);
      // And a systemd that does not let it have a scope is no reason to have none.
      await launch(paths, false);
    });
  } catch (error) {
    throw new QuaysideError(
      'ENGINE_SETUP_FAILED',
      `The Docker Engine did not start: ${(error as Error).message}. Its last words: ${await lastWords(paths)}`,
      `Read ${paths.log}, or start an engine of your own and set DOCKER_HOST to it.`,
      { cause: error },
    );
  }
}

/** Starts the daemon where it does not run, and settles when it answers. @param inScope see `daemonCommand` */
async function launch(paths: Paths, inScope: boolean): Promise<void> {
  const ended = new AbortController();
  const running = await ownEnginePid(paths);
  if (running === undefined) startDaemon(paths, inScope, (error) => ended.abort(error));
  using limit = deadline(START_MS, ended.signal);
  const engine = new Engine(`unix://${paths.socket}`);
  while (await engine.isAway(limit.signal)) {
    await sleep(START_POLL_MS, limit.signal, { ref: true });
    // One that was found is just beginning, or just ending.
    if (running !== undefined && (await ownEnginePid(paths)) !== running) {
      throw new Error(`dockerd (process ${running}) was ending`);
    }
  }
}

/**
 * Keeps the log of the engine of our own within bounds, where `engine` is that one: of a log that has grown long the end is
 * kept once, as `….log.1`, and it begins anew. The daemon appends, so it goes on at the beginning.
 */
export async function boundEngineLog(engine: Engine, home = HOME): Promise<void> {
  const { log } = pathsOf(home);
  if (engine.address !== ownEngineAddress(home)) return;
  // Whoever may only use the engine leaves its log to root.
  const isOurs = await access(log, constants.W_OK).then(
    () => true,
    () => false,
  );
  const { size } = isOurs ? await stat(log) : { size: 0 };
  if (size <= LOG_BYTES) return;
  const last = createReadStream(log, { start: size - LOG_BYTES, end: size - 1 });
  try {
    await pipeline(last, createWriteStream(`${log}.1`));
  } finally {
    // On a disk that is full, room matters more than what was logged.
    await truncate(log);
  }
}

/** Looks at that log now and every hour, until it is disposed of. */
export function watchEngineLog(engine: Engine, background: Background): Disposable {
  const look = () => background.run('engine log', () => boundEngineLog(engine));
  look();
  return setInterval(look, LOG_LOOK_MS).unref();
}

/**
 * Stops the engine of our own, if it runs. Hosts stop with it.
 *
 * @param mostMs how long it may take
 * @throws QuaysideError ENGINE_REFUSES where this user may not, or where it does not end
 */
export async function stopOwnEngine(home = HOME, mostMs = STOP_MS): Promise<boolean> {
  const paths = pathsOf(home);
  const pid = await ownEnginePid(paths);
  if (pid === undefined) return false;
  askToStop(pid);
  using limit = deadline(mostMs);
  while ((await ownEnginePid(paths)) === pid) {
    if (limit.signal.aborted) {
      throw new QuaysideError(
        'ENGINE_REFUSES',
        `The Docker Engine (process ${pid}) was told to stop ${mostMs / 1000} s ago and still runs.`,
        `See what it waits for: tail ${paths.log}. To end it all the same: kill -KILL ${pid}; the next start tidies up after it.`,
      );
    }
    await sleep(START_POLL_MS, limit.signal, { ref: true }).catch(() => undefined);
  }
  return true;
}

function askToStop(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (cause) {
    // It has ended by itself meanwhile.
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new QuaysideError(
      'ENGINE_REFUSES',
      `The Docker Engine (process ${pid}) is root’s, and this user may not stop it.`,
      'Stop it as root: sudo npm run engine -- stop',
      { cause },
    );
  }
}

/** @throws QuaysideError ENGINE_MISSING where this user cannot start an engine here, with what to do about it */
export async function assertPossible(): Promise<void> {
  const isThere = process.platform === 'linux' && isInstalled('dockerd');
  if (isThere && process.getuid?.() !== 0) {
    throw new QuaysideError(
      'ENGINE_MISSING',
      'The Docker Engine is installed here and does not run, and only root may start it.',
      `Start it: ${existsSync(SYSTEMD) ? 'sudo systemctl start docker' : 'sudo service docker start'}`,
    );
  }
  if (!isThere && (process.platform !== 'linux' || !isDebian())) {
    throw new QuaysideError(
      'ENGINE_MISSING',
      'No Docker Engine answers, and set-up can install one only on Debian and Ubuntu.',
      'Install and start Docker yourself (https://docs.docker.com/engine/install/), or set DOCKER_HOST to an engine.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new QuaysideError(
      'ENGINE_MISSING',
      'No Docker Engine answers, and only root may install and start one.',
      'Run as root: sudo npm start. Or: sudo apt-get install docker.io && sudo usermod -aG docker "$USER", then sign in again.',
    );
  }
}

async function assertRoom(data: string): Promise<void> {
  const free = await freeBytes(data);
  if (free >= NEEDED_BYTES) return;
  throw new QuaysideError(
    'DISK_FULL',
    `The disk under ${data} has ${Math.floor(free / 1024 ** 2)} MiB free; Quayside needs ${NEEDED_BYTES / 1024 ** 2} MiB.`,
    'Free some room and start again. What apt has kept: apt-get clean. What takes the most: du -xh --max-depth=2 / | sort -h | tail',
  );
}

/** A pid file or socket of an engine that is gone (a reboot, a killed machine) must not stop the next one. */
async function removeStale(paths: Paths): Promise<void> {
  if ((await ownEnginePid(paths)) !== undefined) return;
  await rm(paths.pidFile, { force: true });
  await rm(paths.socket, { force: true });
  // The containerd of an engine that was killed runs on, and the next engine takes it up by its pid file. Only one that
  // is gone has left the file behind for nothing.
  const containerd = `${paths.run}/exec/containerd/containerd.pid`;
  if ((await pidOf(containerd, 'containerd')) === undefined) await rm(containerd, { force: true });
}

/** The pid of our engine, if it runs. */
function ownEnginePid({ pidFile }: Paths): Promise<number | undefined> {
  return pidOf(pidFile, 'dockerd');
}

/** The pid in a file, if that process is alive and really that program (pids are used again). */
async function pidOf(file: string, program: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(file, 'utf8'));
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    // A zombie (Z) still has its name.
    return status.startsWith(`Name:\t${program}\n`) && !/^State:\tZ/m.test(status)
      ? pid
      : undefined;
  } catch {
    return undefined;
  }
}

async function lastWords({ log }: Paths): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const lines = text.trim().split('\n');
  return lines.slice(-3).join(' | ') || '(nothing)';
}
