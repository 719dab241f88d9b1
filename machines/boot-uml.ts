import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../server/base/deadline.ts';
import { type BootOptions, childrenOf } from './boot-here.ts';
import type { Boot } from './machine.ts';
import { openSlirp } from './slirp.ts';

const SCRIPT = join(import.meta.dirname, 'boot-uml.sh');
const POLL_MS = 100;

/** Boots a disk on a kernel of its own. @param root has that kernel */
export function bootUml(options: BootOptions & { readonly root: string }): Boot {
  const { disk, directory, token, root } = options;
  return async (signal) => {
    await using stack = new AsyncDisposableStack();
    const console = openSync(join(directory, 'console.log'), 'a');
    const argv = ['--pdeathsig', 'KILL', SCRIPT, disk, directory, root];
    const child = spawn('setpriv', argv, { stdio: ['ignore', console, console] });
    closeSync(console);
    const ended = once(child, 'exit').then(() => undefined);
    stack.defer(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const inside = await withTaps(child.pid ?? 0, signal);
    const slirp = stack.use(await openSlirp(inside, directory, 'tap0', signal));
    const held = stack.move();
    return {
      commandLine: { port: slirp.port, token },
      ended,
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  };
}

/** A process in the namespaces, once the bridge has both of its taps. */
async function withTaps(parent: number, signal: AbortSignal): Promise<number> {
  for (;;) {
    for (const child of await childrenOf(parent)) {
      const devices = await readFile(`/proc/${child}/net/dev`, 'utf8').catch(() => '');
      if (devices.includes('tap1:')) return child;
    }
    await sleep(POLL_MS, signal, { ref: true });
  }
}
