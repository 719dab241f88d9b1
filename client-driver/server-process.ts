import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { ExpectationFailed } from './expectation-failed.ts';

const PROJECT = resolve(import.meta.dirname, '..');
/** Images and pages are there already when tests and benches begin; on a busy machine a start takes some seconds then. */
const READY_MS = 120_000;
/** The line that a server prints once it can serve (docs/automation.md). */
const READY_LINE = /^Quayside is ready: (\S+)$/;
/** What a server that did not get ready is quoted with. */
const LINES_SHOWN = 20;
/** Of its log, for that (characters). */
const ERRORS_KEPT = 4 * 1024;
/** Node says so of what it has on trial; nobody reads it here. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'] as const;
/** What `npm run clean` prints. */
const REMOVED = /^Removed (\d+) sandbox/m;

/** How a server is started. */
export interface ServerOptions {
  /** Its data directory. */
  readonly data: string;
  /** The project's folder whose server it is; this one's, if not given. */
  readonly project?: string | undefined;
  /** 0, or none given, for any free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where its log goes: to our own stderr, if not given, or nowhere. */
  readonly log?: 'inherit' | 'ignore';
}

/** The real server in a process of its own, as `npm start` runs it. Disposing it ends it. */
export interface ServerProcess extends AsyncDisposable {
  /** The printed URL, with the start token or the class's code. */
  readonly url: string;
  /** What it printed, the ready line included. */
  readonly said: readonly string[];
  readonly child: ChildProcess;
  /** Settles when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** @throws ExpectationFailed with what it printed, where it does not get ready; it has ended then */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { data, project = PROJECT, port = 0, args = [], env = {}, log = 'inherit' } = options;
  const child = spawn(process.execPath, [...NODE_FLAGS, 'server/main.ts', ...args], {
    cwd: project,
    env: {
      ...process.env,
      ...env,
      PORT: String(port),
      HOST: '127.0.0.1',
      QUAYSIDE_DATA: data,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERRORS_KEPT);
    if (log === 'inherit') process.stderr.write(text);
  });
  const ended = once(child, 'close');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const said: string[] = [];
  try {
    const url = await readyUrl(child.stdout, said);
    return { url, said, child, stop, [Symbol.asyncDispose]: () => stop() };
  } catch (error) {
    await stop('SIGKILL');
    const why = error instanceof Error ? error.message : String(error);
    const lines = [...said, ...errors.split('\n')].slice(-LINES_SHOWN).join(' ⏎ ');
    throw new ExpectationFailed('the server to be ready', `${why}; it said “${lines}”`);
  }
}

/**
 * Removes the sandboxes that a server has left, as `npm run clean` does.
 *
 * @returns how many there were
 */
export async function removeSandboxes({
  data,
  project = PROJECT,
  env = {},
}: Pick<ServerOptions, 'data' | 'project' | 'env'>): Promise<number> {
  const argv = [...NODE_FLAGS, 'server/cli/clean.ts'];
  const options = { cwd: project, env: { ...process.env, ...env, QUAYSIDE_DATA: data } };
  const { stdout } = await promisify(execFile)(process.execPath, argv, options);
  const [, count] = REMOVED.exec(stdout) ?? [];
  if (count === undefined) throw new ExpectationFailed('the sandboxes to be counted', stdout);
  return Number(count);
}

async function readyUrl(stdout: Readable, said: string[]): Promise<string> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), READY_MS);
  try {
    // Ends with the server's output, and with the signal.
    for await (const line of createInterface({ input: stdout, signal: late.signal })) {
      said.push(line);
      const [, url] = READY_LINE.exec(line) ?? [];
      if (url !== undefined) return url;
    }
    throw new Error(late.signal.aborted ? `after ${READY_MS / 1_000} s, not yet` : 'it ended');
  } finally {
    clearTimeout(timer);
    // Leaving the loop has paused it; what is printed later must not fill the pipe.
    stdout.resume();
  }
}
