// What set-up asks of a Debian system, and what it installs there. Plain Node without packages: a fresh machine begins with
// it while the project's packages are still being installed (setup/early.mjs).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** System programs are here; a plain user's PATH may lack these. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin'];

/** An engine to run hosts on. */
export const ENGINE_PACKAGES = ['docker.io', 'iptables'];
/** From Debian 13 on the command-line client is a package of its own. */
export const CLIENT_PACKAGE = 'docker-cli';
/** What makes a Debian without a registry. */
export const BASE_PACKAGES = ['debootstrap', 'debian-archive-keyring'];
/** Where a tree of the base stands that was made ahead, once it is whole. */
export const BASE_TREE = '/var/lib/quayside/base-trixie';

/**
 * What debootstrap and the packages' scripts leave of the machine on which a tree is made: its name servers, its name, its
 * id, and what was done when.
 */
const TRACES = [
  'etc/hostname',
  'etc/machine-id',
  'etc/resolv.conf',
  'var/lib/dbus/machine-id',
  'var/lib/systemd/random-seed',
];
/** Whatever stands in these is of the making. */
const EMPTIED = ['root', 'run', 'tmp', 'var/cache/apt', 'var/lib/apt/lists', 'var/log', 'var/tmp'];
/** A build that is broken off is made anew, so dpkg need not wait for the disk after each file. */
const DPKG_SETTINGS = 'force-unsafe-io\n';

/** A file or two are read. */
const APT_CONFIG_MS = 10_000;

/**
 * The proxies that apt has for its packages here (apt.conf), by the names that other programs know: `http_proxy`,
 * `https_proxy`. Debootstrap and what runs in a build read no apt.conf of this machine.
 */
export function aptProxies() {
  const names = ['Acquire::http::Proxy', 'Acquire::https::Proxy'];
  const { stdout } = spawnSync('apt-config', ['dump', '--format', '%f=%v%n', ...names], {
    encoding: 'utf8',
    timeout: APT_CONFIG_MS,
  });
  /** @type {Record<string, string>} */
  const proxies = {};
  for (const line of (stdout ?? '').split('\n')) {
    // `DIRECT` is none, and a name behind Proxy is one host's.
    const [, scheme, address] = /^Acquire::(https?)::Proxy=(https?:\/\/\S+)$/.exec(line) ?? [];
    if (scheme && address) proxies[`${scheme}_proxy`] = address;
  }
  return proxies;
}

/** Whether this system has Debian's package tools. */
export function isDebian() {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
  } catch {
    return false;
  }
}

/**
 * Whether a program of that name can be run here.
 *
 * @param {string} program
 */
export function isInstalled(program) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_DIRECTORIES];
  return directories.some((directory) => existsSync(join(directory, program)));
}

/**
 * Makes ready a directory in which the base is to be made, and returns the command that makes it.
 *
 * @param {string} root
 */
export function baseCommand(root) {
  mkdirSync(join(root, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/quayside-io'), DPKG_SETTINGS);
  return ['debootstrap', '--variant=minbase', 'trixie', root];
}

/**
 * Takes out of a tree what is of the machine on which it was made.
 *
 * @param {string} root
 */
export function withoutTraces(root) {
  for (const path of TRACES) rmSync(join(root, path), { force: true });
  for (const directory of EMPTIED) {
    for (const name of entriesOf(join(root, directory))) {
      if (directory === 'root' && name.startsWith('.')) continue;
      rmSync(join(root, directory, name), { recursive: true, force: true });
    }
  }
}

/** @param {string} directory */
function entriesOf(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
