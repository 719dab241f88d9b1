import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ExpectationFailed } from './expectation-failed.ts';

const PROJECT = resolve(import.meta.dirname, '..');
/** Images and pages are there already when tests and benches begin; on a busy machine a start takes some seconds then. */
const READY_MS = 120_000;
/** The line that a server prints once it can serve (docs/automation.md). */
const READY_LINE = /^Quayside is ready: (\S+)$/;
/** What a server that did not get ready is quoted with. */
const LINES_SHOWN = 5;

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
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'server/main.ts', ...args],
    {
      cwd: project,
      env: {
        ...process.env,
        ...env,
        PORT: String(port),
        HOST: '127.0.0.1',
        QUAYSIDE_DATA: data,
      },
      stdio: ['ignore', 'pipe', log],
    },
  );
  const ended = once(child, 'close');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const said: string[] = [];
  try {
    const url = await readyUrl(child, said);
    return { url, said, child, stop, [Symbol.asyncDispose]: () => stop() };
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
}

async function readyUrl(child: ChildProcess, said: string[]): Promise<string> {
  if (!child.stdout) throw new Error('the server has no stdout');
  const late = new AbortController();
  let url: string | undefined;
  const timer = setTimeout(() => late.abort(), READY_MS);
  try {
    // Ends with the server's output, and with the signal.
    for await (const line of createInterface({ input: child.stdout, signal: late.signal })) {
      said.push(line);
      url = READY_LINE.exec(line)?.[1];
      if (url !== undefined) break;
    }
  } finally {
    clearTimeout(timer);
  }
  if (url !== undefined) {
    // What it prints later must not fill the pipe. Leaving the loop has paused it.
    child.stdout.resume();
    return url;
  }
  const why = late.signal.aborted ? `after ${READY_MS / 1_000} s` : 'it ended';
  const lines = said.slice(-LINES_SHOWN).join(' ⏎ ');
  throw new ExpectationFailed('the server to be ready', `${why}; it said “${lines}”`);
}
