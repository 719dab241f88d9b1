import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../server/base/deadline.ts';
import type { Boot } from './machine.ts';
import { openSlirp } from './slirp.ts';

const SCRIPT = join(import.meta.dirname, 'boot-here.sh');
const POLL_MS = 50;
/** Ending some hundred processes at once takes a while on a busy machine. */
const END_MS = 20_000;

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
    const group = `quayside-machine-${process.pid}`;
    stack.defer(() => removeGroups(group));
    const root = await mkdtemp(join(directory, 'boot-'));
    const console = openSync(join(directory, 'console.log'), 'a');
    const argv = ['--pdeathsig', 'KILL', SCRIPT, disk, root, group, name];
    const child = spawn('setpriv', argv, { stdio: ['ignore', console, console] });
    closeSync(console);
    const ended = once(child, 'exit').then(() => undefined);
    stack.defer(async () => {
      // The first process of a namespace ends when all others in it have; what has started it ends after that.
      for (const pid of await childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
      await Promise.race([ended, sleep(END_MS, undefined, { ref: true })]);
      child.kill('SIGKILL');
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
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = await readFile(path, 'utf8').catch(() => '');
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

/** Removes the control groups of processes that are gone, in each hierarchy, from the innermost on. */
async function removeGroups(group: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  for (const [, path = '', type = ''] of mounts.map((line) => line.split(' '))) {
    if (!/^cgroup2?$/.test(type)) continue;
    const top = join(path, group);
    const all = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => []);
    const groups = all
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const each of [top, ...groups].reverse()) await rmdir(each).catch(() => undefined);
  }
}
