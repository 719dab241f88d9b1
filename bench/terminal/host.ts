import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { defineLab, type LabHost } from '#lab';
import { findEngine } from '../../server/engine/find.ts';
import { destroySandbox } from '../../server/sandbox/removal.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';

const PROJECT = resolve(import.meta.dirname, '../..');

/** A lab host that runs, in a form that another process can be told. */
export interface BenchHost {
  readonly engine: string;
  readonly spec: LabHost;
  readonly container: string;
  /** Left out: terminals go the engine's way. */
  readonly shared?: { readonly outside: string; readonly inside: string };
}

/** Raises a lab of one host; disposing takes it away. */
export async function raiseHost(
  say: (text: string) => void,
): Promise<{ readonly host: BenchHost } & AsyncDisposable> {
  const lab = defineLab({
    title: 'Bench',
    hosts: { bench: { address: '10.1.10.11/24' } },
    images: {},
    browser: 'bench',
    sections: [],
  });
  const engine = await findEngine(process.env, say);
  const instance = `bench-${randomBytes(3).toString('hex')}`;
  const runtime = await createSandboxRuntime(
    PROJECT,
    engine,
    new Map([['bench', lab]]),
    instance,
    say,
  );
  const owner = { instance, sandbox: instance, session: instance };
  const sandbox = new Sandbox(runtime, lab, owner);
  const disposable = async () => {
    await destroySandbox(runtime, owner.sandbox);
    await runtime[Symbol.asyncDispose]();
  };
  try {
    await sandbox.reconcile(() => undefined);
    const { spec, container, shared } = sandbox.host('bench');
    return {
      host: { engine: engine.address, spec, container, ...(shared ? { shared } : {}) },
      [Symbol.asyncDispose]: disposable,
    };
  } catch (error) {
    await disposable();
    throw error;
  }
}
