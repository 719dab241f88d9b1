import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../server/base/deadline.ts';
import type { Boot } from './machine.ts';
import { run } from './run.ts';
import { openSlirp } from './slirp.ts';

const SCRIPT = join(import.meta.dirname, 'boot-here.sh');
const POLL_MS = 50;

/** What is booted. */
export interface BootOptions {
  readonly name: string;
  readonly disk: string;
  readonly directory: string;
  readonly token: string;
}

/** Boots a disk on the kernel of this machine, in namespaces of its own. */
export function bootHere({ name, disk, directory, token }: BootOptions): Boot {
  return async (signal) => {
    await using stack = new AsyncDisposableStack();
    const hierarchies = await run(['findmnt', '-n', '-o', 'TARGET', '-t', 'cgroup2'], signal);
    const [hierarchy = ''] = hierarchies.split('\n', 1);
    const group = `${hierarchy}/quayside-machine-${process.pid}`;
    stack.defer(async () => {
      // Groups of processes that are gone are removed from the innermost on.
      const remove = ['find', group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'];
      await run(remove, AbortSignal.timeout(POLL_MS * 100)).catch(() => undefined);
    });
    const root = await mkdtemp(join(directory, 'boot-'));
    const console = openSync(join(directory, 'console.log'), 'a');
    const argv = ['--pdeathsig', 'KILL', SCRIPT, disk, root, group, name];
    const child = spawn('setpriv', argv, { stdio: ['ignore', console, console] });
    closeSync(console);
    const ended = once(child, 'exit').then(() => undefined);
    stack.defer(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const init = await initOf(child.pid ?? 0, signal);
    const slirp = stack.use(await openSlirp(init, directory, 'tap0', signal));
    const held = stack.move();
    return {
      commandLine: { port: slirp.port, token },
      ended,
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  };
}

/** The processes that a process has started. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** The first process in the namespaces. */
async function initOf(parent: number, signal: AbortSignal): Promise<number> {
  for (;;) {
    for (const child of await childrenOf(parent)) {
      const program = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
      if (program.trim() === 'systemd' || program.trim() === 'init') return child;
    }
    await sleep(POLL_MS, signal, { ref: true });
  }
}
