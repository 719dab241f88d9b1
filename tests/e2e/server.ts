import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const PROJECT = resolve(import.meta.dirname, '../..');
/** Images and pages are there when the walks begin; starting is quick then, even on a busy machine. */
const READY_MS = 120_000;

/** The real server in a process of its own, as `npm start` runs it. */
export interface RunningServer {
  /** The printed URL, start token included. */
  readonly url: string;
  /** What it said before that line. */
  readonly said: readonly string[];
  readonly child: ChildProcess;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * @param port 0 for any free one
 * @param env added to this process's own
 * @param log where its log goes: to our own stderr, or nowhere
 */
export async function startServer(
  data: string,
  {
    port = 0,
    args = [],
    env = {},
    log = 'inherit',
  }: {
    readonly port?: number;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly log?: 'inherit' | 'ignore';
  } = {},
): Promise<RunningServer> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'server/main.ts', ...args],
    {
      cwd: PROJECT,
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
  const closed = once(child, 'close');
  const said: string[] = [];
  const url = await Promise.race([
    readyUrl(child, said),
    closed.then(() => Promise.reject(new Error('the server ended before it was ready'))),
  ]);
  return {
    url,
    said,
    child,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await closed;
    },
  };
}

async function readyUrl(child: ChildProcess, said: string[]): Promise<string> {
  if (!child.stdout) throw new Error('the server has no stdout');
  const late = AbortSignal.timeout(READY_MS);
  for await (const line of createInterface({ input: child.stdout, signal: late })) {
    const [, url] = /^Quayside is ready: (\S+)$/.exec(line) ?? [];
    said.push(line);
    if (url) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error('the server said nothing of being ready');
}
