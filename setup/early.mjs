// Begun by setup/run.mjs while npm installs the project's packages, on a machine that certainly lacks an engine: installs
// the engine's packages, and makes the base of all images where no registry answers. Plain Node, since no package is there.
// What does not come to its end here is done by the server, which also says why it cannot be; nothing here is an error.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import {
  aptProxies,
  BASE_PACKAGES,
  BASE_TREE,
  baseCommand,
  CLIENT_PACKAGE,
  ENGINE_PACKAGES,
  isDebian,
  isInstalled,
  withoutTraces,
} from '../server/engine/debian.mjs';

/** Where engines listen. */
const SOCKETS = ['/var/run/docker.sock', '/run/quayside/docker.sock'];
/** Where images are pulled from. It answers within a second where it can be reached at all. */
const REGISTRY = 'https://registry-1.docker.io/v2/';
const REGISTRY_MS = 5_000;
/** The client reads a file. */
const CLIENT_MS = 5_000;
const MAKING = `${BASE_TREE}.making`;

/** For programs that read a proxy's name in lower case alone, such as apt and wget. */
const ENV = { ...aptProxies(), ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
  const value = process.env[name] || process.env[name.toUpperCase()];
  if (value) ENV[name] = value;
}

/**
 * Whether the docker client here leads to an engine elsewhere, by its current context (Docker Desktop and rootless engines set
 * one). A client alone has none.
 */
export function clientNamesEngine(env = process.env) {
  const argv = ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'];
  const { stdout } = spawnSync('docker', argv, { encoding: 'utf8', env, timeout: CLIENT_MS });
  const address = (stdout ?? '').trim();
  return address !== '' && !SOCKETS.some((socket) => address === `unix://${socket}`);
}

/** Whether this is a machine on which set-up will install an engine: root's, a Debian, and without any. */
export function isFresh(env = process.env) {
  return (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    isDebian() &&
    !env.DOCKER_HOST &&
    !['dockerd', 'podman'].some(isInstalled) &&
    !SOCKETS.some(existsSync) &&
    !clientNamesEngine(env)
  );
}

let isStopped = false;
/** @type {import('node:child_process').ChildProcess | undefined} */
let making;
/** @param {string[]} args */
function apt(...args) {
  // In a group of its own, which Ctrl-C in a terminal does not reach.
  const child = spawn('apt-get', args, { stdio: 'ignore', env: ENV, detached: true });
  return ended(child);
}

/** @param {readonly string[]} names */
function install(names) {
  return apt('install', '-y', '--no-install-recommends', ...names);
}

/** @param {import('node:child_process').ChildProcess} child */
function ended(child) {
  return new Promise((settle) => {
    child.once('error', () => settle(false));
    child.once('exit', (code) => settle(code === 0));
  });
}

function hasRegistry() {
  return fetch(REGISTRY, { signal: AbortSignal.timeout(REGISTRY_MS) }).then(
    () => true,
    () => false,
  );
}

async function makeBase() {
  rmSync(MAKING, { recursive: true, force: true });
  mkdirSync(MAKING, { recursive: true });
  const [program = '', ...args] = baseCommand(MAKING);
  making = spawn(program, args, { stdio: 'ignore', env: ENV });
  if ((await ended(making)) && !isStopped) {
    withoutTraces(MAKING);
    renameSync(MAKING, BASE_TREE);
  } else {
    rmSync(MAKING, { recursive: true, force: true });
  }
}

async function prepare() {
  // A package manager is not broken off: it ends by itself, and nothing else is begun.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      isStopped = true;
      making?.kill();
    });
  }
  console.error('Meanwhile: installing a Docker Engine from this system’s packages …');
  const needsBase = !existsSync(BASE_TREE) && !(await hasRegistry());
  if (!(await apt('update')) || isStopped) return;
  // The base takes longest, and the images wait for it: the engine's packages are installed beside it.
  const hasBaseTools = needsBase && (await install(BASE_PACKAGES));
  if (isStopped) return;
  if (hasBaseTools) console.error('Meanwhile: making the base of the images with debootstrap …');
  await Promise.all([hasBaseTools ? makeBase() : undefined, installEngine()]);
}

function installEngine() {
  const hasClient = spawnSync('apt-cache', ['show', CLIENT_PACKAGE], { stdio: 'ignore' });
  return install([...ENGINE_PACKAGES, ...(hasClient.status === 0 ? [CLIENT_PACKAGE] : [])]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await prepare().catch(() => undefined);
}
