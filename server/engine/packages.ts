import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';

/** Directories that a plain user's PATH may lack but where system programs live. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin'];
/** How many of apt's last lines an error shows: the cause is at the end. */
const LINES_KEPT = 12;

/** Whether this system has Debian's package tools. */
export async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Whether a program of that name can be run here. */
export async function isInstalled(program: string): Promise<boolean> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_DIRECTORIES];
  const found = await Promise.all(
    directories.map((directory) =>
      access(join(directory, program)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Installs Debian packages (root only).
 *
 * @throws QuaysideError ENGINE_SETUP_FAILED with apt's last lines and the command to try by hand
 */
export async function installPackages(names: readonly string[], say: Progress): Promise<void> {
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...names];
  try {
    // Without a package list, or with an old one, apt knows no such package.
    await runToEnd(['apt-get', 'update'], say);
    await runToEnd(install, say);
  } catch (error) {
    throw new QuaysideError(
      'ENGINE_SETUP_FAILED',
      `Installing ${names.join(', ')} failed: ${(error as Error).message}`,
      `Try it by hand: sudo ${install.join(' ')}`,
      { cause: error },
    );
  }
}

/** Runs a program of this machine to its end, says what it is at, and throws with its last lines if it fails. */
export async function runToEnd(argv: readonly string[], say: Progress): Promise<void> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        lines.push(line.trim());
        if (lines.length > LINES_KEPT) lines.shift();
        if (/^(Get:|Unpacking|Setting up|I: (Retrieving|Extracting|Configuring))/.test(line)) {
          say(`  ${line.trim()}`);
        }
      }
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${file} ended with status ${status}. ${lines.join(' | ')}`);
}
