import type { ExecaError } from 'execa';
import { deadline, sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { proxiesHere, withoutPasswords } from './proxies.ts';

export { isInstalled } from './debian.mjs';

/** How many of apt's last lines an error shows: the cause is at the end. */
const LINES_KEPT = 12;
/** A machine's own first upgrade takes minutes; one that takes longer than this has to be looked at. */
const APT_BUSY_MS = 15 * 60_000;
const APT_RETRY_MS = 1_000;
/**
 * What apt and dpkg end with where another program uses them. Apt's own option to wait does not cover its package lists.
 * Who it is is not always known: a program in a container has no number here.
 */
const HELD = [
  /Could not get lock \S+ It is held by process (?<pid>[1-9]\d*) \((?<name>.+?)\)/,
  /lock was locked by another process(?: with pid (?<pid>\d+))?/,
  /Could not get lock \S+/,
] as const;
/** The lines in which apt, dpkg and debootstrap say why they end; all others only what they did. */
const CAUSE = /^(E:|Error:|Err:|dpkg: error|W: Failure)/;
/** The lines of apt and debootstrap that show their progress. */
const SHOWN = /^(Get:|Unpacking|Setting up|I: (Retrieving|Extracting|Configuring))/;
/** An engine's packages take a minute; a mirror that hangs must not hold a start for ever. */
const RUN_MS = 1_800_000;

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
      `Try it by hand: apt-get ${install.join(' ')}`,
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
      const holder = holderIn((error as Error).message);
      if (holder === undefined || signal.aborted) throw error;
      if (holder !== waitedFor) progress(`Waiting for apt: ${holder} is using it …`);
      waitedFor = holder;
      // Where time is up meanwhile, the last attempt says who still uses it.
      await sleep(APT_RETRY_MS, signal, { ref: true }).catch(() => undefined);
    }
  }
}

/** Who uses apt meanwhile, by the words with which it ends; `undefined` where it has ended for another reason. */
function holderIn(words: string): string | undefined {
  const held = HELD.map((each) => each.exec(words)).find((found) => found !== null);
  if (!held) return undefined;
  const { pid, name } = held.groups ?? {};
  if (pid === undefined) return 'another program';
  return name === undefined ? `process ${pid}` : `${name} (process ${pid})`;
}

/**
 * Runs a program of this machine to its end and shows what it is doing.
 *
 * @throws Error with the lines in which it says why it fails, or its last ones; also where it does not end
 */
export async function runToEnd(argv: readonly string[], progress: Progress): Promise<void> {
  const [file = '', ...args] = argv;
  const { execa } = await import('execa');
  const proxies = proxiesHere(process.env);
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
    const { exitCode, shortMessage, timedOut } = error as ExecaError;
    const late = timedOut ? `${file} has not ended after ${RUN_MS / 60_000} minutes` : undefined;
    const how =
      late ?? (exitCode === undefined ? shortMessage : `${file} ended with status ${exitCode}`);
    const causes = lines.filter((line) => CAUSE.test(line));
    const words = causes.length > 0 ? causes : lines;
    throw new Error([`${how}.`, ...words].join('\n  '), { cause: error });
  }
}
