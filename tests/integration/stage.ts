import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { defineLab, type Lab } from '#lab';
import { Background, type FailureLog } from '../../server/base/background.ts';
import { runningEngine } from '../../server/engine/find.ts';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { destroySandbox, liveSandboxes, Sandbox } from '../../server/sandbox/sandbox.ts';
import { HostTerminalBackend } from '../../server/terminal/terminal-backend.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');

/** The smallest lab that has everything: a host with an engine and an image, an alias, and a plain host. */
export const SMALL_LAB: Lab = defineLab({
  title: 'Small',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      aliases: ['agent01'],
      engine: true,
      images: ['mycontainer:5.6'],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { 'mycontainer:5.6': 'mycontainer' },
  browser: 'client',
  sections: [],
});

/** A runtime on the real engine under an instance name of its own; disposing it removes whatever the test left. */
export async function openFoundry(
  labs: ReadonlyMap<string, Lab> = new Map([['small', SMALL_LAB]]),
): Promise<{ readonly runtime: SandboxRuntime; readonly instance: string } & AsyncDisposable> {
  const engine = await runningEngine(process.env);
  if (!engine) throw new Error('No engine runs; npm test starts one.');
  const instance = `test-${randomBytes(4).toString('hex')}`;
  const runtime = await createSandboxRuntime(PROJECT, engine, labs, instance, () => undefined);
  return {
    runtime,
    instance,
    [Symbol.asyncDispose]: async () => {
      for (const id of await liveSandboxes(runtime, instance)) await destroySandbox(runtime, id);
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** A running sandbox, removed when disposed. */
export async function raise(
  runtime: SandboxRuntime,
  instance: string,
  lab: Lab = SMALL_LAB,
): Promise<{ readonly sandbox: Sandbox } & AsyncDisposable> {
  const id = randomBytes(4).toString('hex');
  const sandbox = new Sandbox(runtime, lab, { instance, sandbox: id, session: `session-${id}` });
  await sandbox.reconcile(() => undefined);
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.destroy() };
}

/** What every session manager of the tests is given: terminals on real hosts, and an owner of background work. */
export function sessionParts(log: FailureLog = () => undefined) {
  const background = new Background(log);
  return { background, terminals: new HostTerminalBackend({ background }) };
}
