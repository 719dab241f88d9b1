import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROJECT = resolve(import.meta.dirname, '../..');

/** The bench's server, running. Disposing it removes all that it made. */
export interface RunningServer extends AsyncDisposable {
  readonly origin: string;
  readonly token: string;
  /** Its name on the engine's objects. */
  readonly instance: string;
  readonly pid: number;
}

/** @param project the folder of the checkout whose server it is */
export async function startServer(sandboxes: number, project = PROJECT): Promise<RunningServer> {
  const data = await mkdtemp(join(tmpdir(), 'quayside-bench-'));
  const child = fork(join(project, 'bench/checks/server.ts'), [data, String(sandboxes)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const closed = once(child, 'close');
  const [ready] = await Promise.race([
    once(child, 'message'),
    closed.then(() => Promise.reject(new Error('the server ended before it was ready'))),
  ]);
  return {
    ...(ready as Omit<RunningServer, 'pid' | typeof Symbol.asyncDispose>),
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await closed;
      await rm(data, { recursive: true });
    },
  };
}
