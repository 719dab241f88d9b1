import { spawn } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { access, mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { QuaysideError } from '../errors.ts';
import { Engine } from './engine.ts';
import type { Say } from './find.ts';
import { installPackages, isDebian, isInstalled } from './packages.ts';

/** Short paths: a Unix socket's path may have 107 characters, and the engine's helpers add their own. */
const RUN = '/run/quayside';
const DATA = '/var/lib/quayside/engine';
const LOG = '/var/log/quayside-engine.log';
const PID_FILE = `${RUN}/engine.pid`;
const SOCKET = `${RUN}/docker.sock`;
const CONFIG = `${RUN}/engine.json`;

/** Where the engine of our own listens. */
export const OWN_ENGINE_ADDRESS = `unix://${SOCKET}`;

/** A cold start takes 1 to 3 s; with a slow disk and leftovers to tidy up, more. */
const START_MS = 60_000;
const START_POLL_MS = 100;
/** Two images (0.5 GB), the base they are made from, and room for the hosts' own layers. */
const NEEDED_BYTES = 3 * 1024 ** 3;

/**
 * Installs Docker's engine from Debian's packages where it is missing and starts a `dockerd` of our own: its own
 * socket, data, exec root and pid file, no bridge and no iptables rules, so that the machine's network stays as it is.
 * It outlives the server, and with it the hosts and what runs in them.
 */
export async function startOwnEngine(say: Say): Promise<void> {
  await assertPossible();
  if (!(await isInstalled('dockerd'))) {
    say('No Docker Engine answers. Installing docker.io from this system’s packages …');
    await installPackages(['docker.io', 'iptables'], say);
    // From Debian 13 on the command-line client is a package of its own.
    if (!(await isInstalled('docker'))) await installPackages(['docker-cli'], say);
  }
  await mkdir(DATA, { recursive: true });
  await assertRoom();
  await mkdir(RUN, { recursive: true });
  await removeStale();
  await writeFile(CONFIG, '{}');
  say('Starting a Docker Engine for Quayside …');
  const log = openSync(LOG, 'a');
  const daemon = spawn(
    'dockerd',
    [
      `--host=${OWN_ENGINE_ADDRESS}`,
      `--data-root=${DATA}`,
      `--exec-root=${RUN}/exec`,
      `--pidfile=${PID_FILE}`,
      // The machine's own /etc/docker/daemon.json is about another engine.
      `--config-file=${CONFIG}`,
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--ip-forward=false',
      '--ip-masq=false',
    ],
    { detached: true, stdio: ['ignore', log, log] },
  );
  const ended = new Promise<never>((_, reject) => {
    daemon.once('error', reject);
    daemon.once('exit', (code) => reject(new Error(`dockerd ended with status ${code}`)));
  });
  daemon.unref();
  try {
    await Promise.race([ended, untilItAnswers()]);
  } catch (error) {
    throw new QuaysideError(
      'ENGINE_SETUP_FAILED',
      `The Docker Engine did not start: ${(error as Error).message}. Its last words: ${await lastWords()}`,
      `Read ${LOG}, or start an engine of your own and set DOCKER_HOST to it.`,
      { cause: error },
    );
  }
  ended.catch(() => {}); // From here on its end is noticed by those who use it.
}

/** Stops the engine of our own, if it runs. Hosts stop with it. */
export async function stopOwnEngine(): Promise<boolean> {
  const pid = await ownEnginePid();
  if (pid === undefined) return false;
  process.kill(pid, 'SIGTERM');
  while ((await ownEnginePid()) === pid) await delay(START_POLL_MS);
  return true;
}

async function assertPossible(): Promise<void> {
  const remedy =
    'Install and start Docker yourself (https://docs.docker.com/engine/install/), or set DOCKER_HOST to an engine.';
  if (process.platform !== 'linux' || !(await isDebian())) {
    throw new QuaysideError(
      'ENGINE_MISSING',
      'No Docker Engine answers, and set-up can install one only on Debian and Ubuntu.',
      remedy,
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

async function assertRoom(): Promise<void> {
  const { bavail, bsize } = await statfs(DATA);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return;
  throw new QuaysideError(
    'DISK_FULL',
    `The disk under ${DATA} has ${Math.floor(free / 1024 ** 2)} MiB free; Quayside needs ${NEEDED_BYTES / 1024 ** 2} MiB.`,
    'Free some room (docker system prune, apt-get clean) and start again.',
  );
}

/** A pid file or socket of an engine that is gone (a reboot, a killed machine) must not stop the next one. */
async function removeStale(): Promise<void> {
  if ((await ownEnginePid()) !== undefined) return;
  await rm(PID_FILE, { force: true });
  await rm(SOCKET, { force: true });
  // The containerd that belongs to it leaves its own.
  await rm(`${RUN}/exec/containerd/containerd.pid`, { force: true });
}

/** The pid of our engine, if that process is alive and really a dockerd (pids are used again). */
async function ownEnginePid(): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(PID_FILE, 'utf8'));
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
    return name === 'dockerd' ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function untilItAnswers(): Promise<void> {
  const deadline = Date.now() + START_MS;
  const engine = new Engine(OWN_ENGINE_ADDRESS);
  while (Date.now() < deadline) {
    try {
      await access(SOCKET, constants.R_OK);
      await engine.docker.ping();
      return;
    } catch {
      await delay(START_POLL_MS);
    }
  }
  throw new Error(`it did not answer within ${START_MS / 1000} s`);
}

async function lastWords(): Promise<string> {
  const text = await readFile(LOG, 'utf8').catch(() => '');
  const lines = text.trim().split('\n');
  return lines.slice(-3).join(' | ') || '(nothing)';
}
