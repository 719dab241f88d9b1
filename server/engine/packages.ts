import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ExecaError } from 'execa';
import { deadline, sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { proxiesOf, withoutPasswords } from './proxies.ts';

/** System programs are here; a plain user's PATH may lack these. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin'];
/** How many of apt's last lines an error shows: the cause is at the end. */
const LINES_KEPT = 12;
/** A machine's own first upgrade takes minutes; one that takes longer than this has to be looked at. */
const APT_BUSY_MS = 15 * 60_000;
const APT_RETRY_MS = 1_000;
/** What apt ends with where another program uses it. Its own option to wait does not cover its package lists. */
const HELD = /Could not get lock \S+ It is held by process (\d+) \((.+?)\)/;
/** The lines of apt and debootstrap that show their progress. */
const SHOWN = /^(Get:|Unpacking|Setting up|I: (Retrieving|Extracting|Configuring))/;
/** An engine's packages take a minute; a mirror that hangs must not hold a start for ever. */
const RUN_MS = 1_800_000;

/** Whether this system has Debian's package tools. */
export async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Whether a program of that name can be run here. */
export function isInstalled(program: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_DIRECTORIES];
  return directories.some((directory) => existsSync(join(directory, program)));
}

/**
 * Installs Debian packages (root only). Where another program is using apt, as a new machine's first update of its own
 * does, it waits for that and says so.
 *
 * @throws QuaysideError ENGINE_SETUP_FAILED with apt's last lines and the command to try by hand
 */
export async function installPackages(names: readonly string[], progress: Progress): Promise<void> {
  const install = ['install', '-y', '--no-install-recommends', ...names];
  using limit = deadline(APT_BUSY_MS);
  try {
    // Without a package list, or with an old one, apt does not find the packages.
    await apt(['update'], progress, limit.signal);
    await apt(install, progress, limit.signal);
  } catch (error) {
    throw new QuaysideError(
      'ENGINE_SETUP_FAILED',
      `Installing ${names.join(', ')} failed: ${(error as Error).message}`,
      `Try it by hand: sudo apt-get ${install.join(' ')}`,
      { cause: error },
    );
  }
}

/** Runs apt-get, again and again while another program is using it. @throws Error with its last lines */
async function apt(
  args: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for (let waitedFor: string | undefined; ; ) {
    try {
      return await runToEnd(['apt-get', ...args], progress);
    } catch (error) {
      const [, pid, name] = HELD.exec((error as Error).message) ?? [];
      if (pid === undefined || signal.aborted) throw error;
      if (pid !== waitedFor) {
        progress(`Waiting for apt: ${name} (process ${pid}) is using it …`);
      }
      waitedFor = pid;
      // Where time is up meanwhile, the last attempt says who still uses it.
      await sleep(APT_RETRY_MS, signal, { ref: true }).catch(() => undefined);
    }
  }
}

/**
 * Runs a program of this machine to its end and shows what it is doing.
 *
 * @throws Error with its last lines where it fails or does not end
 */
export async function runToEnd(argv: readonly string[], progress: Progress): Promise<void> {
  const [file = '', ...args] = argv;
  const { execa } = await import('execa');
  const proxies = proxiesOf(process.env);
  const child = execa(file, args, {
    ...{ stdin: 'ignore', all: true, buffer: false, timeout: RUN_MS },
    env: { ...proxies, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  const lines: string[] = [];
  try {
    for await (const raw of child.iterable({ from: 'all' })) {
      const line = withoutPasswords(raw.trim(), proxies);
      if (line === '') continue;
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      if (SHOWN.test(line)) progress(`  ${line}`);
    }
  } catch (error) {
    const { exitCode, shortMessage } = error as ExecaError;
    const how = exitCode === undefined ? shortMessage : `${file} ended with status ${exitCode}`;
    throw new Error(`${how}. ${lines.join(' | ')}`, { cause: error });
  }
}
