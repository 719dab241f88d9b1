import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '#lab';
import { findEngine } from '../server/engine/find.ts';
import { LABEL } from '../server/sandbox/labels.ts';
import { createSandboxRuntime } from '../server/sandbox/runtime.ts';
import { destroySandbox, liveSandboxes } from '../server/sandbox/sandbox.ts';
import { SessionManager } from '../server/session/manager.ts';
import { Store } from '../server/store/store.ts';
import { buildWeb } from '../server/web/web.ts';
import type { Learner } from './learner.ts';
import { Probe } from './probe.ts';

/** More than any proof runs side by side. */
const SANDBOXES_MOST = 16;
const START_TOKEN_BYTES = 18;

/** A server of the proof's own: the real one on a port and a data directory of its own, in this process. */
export interface ProofServer extends AsyncDisposable {
  /** As `npm start` prints it, start token included. */
  readonly url: string;
  /** What only this process can see of a learner's sandbox. */
  probe(learner: Learner): Promise<Probe>;
  /** What the engine still has of a sandbox: names of containers and volumes, and directories. */
  leftOf(sandbox: string): Promise<readonly string[]>;
}

/** @param say told of set-up that takes long */
export async function openServer(
  project: string,
  labs: ReadonlyMap<string, Lab>,
  say: (line: string) => void,
): Promise<ProofServer> {
  const data = await mkdtemp(join(tmpdir(), 'quayside-proof-'));
  const store = new Store(join(data, 'quayside.sqlite'));
  const engine = await findEngine(process.env, say);
  const runtime = await createSandboxRuntime(project, engine, labs, store.instance, say);
  const registry = new SessionManager({
    runtime,
    store,
    labs,
    sandboxesMost: SANDBOXES_MOST,
    log: (message, error) => say(`${message}: ${error instanceof Error ? error.message : error}`),
  });
  const startToken = randomBytes(START_TOKEN_BYTES).toString('base64url');
  const web = await buildWeb({
    sessions: registry,
    learners: {
      create: () => store.createLearner(),
      find: (secret) => store.findLearner(secret),
    },
    dist: join(data, 'no-pages'),
    host: '127.0.0.1',
    port: 0,
    startToken,
    health: () => ({ ok: true }),
  });
  const address = await web.listen({ host: '127.0.0.1', port: 0 });
  await registry.open();
  const close = async () => {
    await web.close();
    await registry.close(true);
    for (const id of await liveSandboxes(runtime, store.instance)) {
      await destroySandbox(runtime, id);
    }
    await runtime[Symbol.asyncDispose]();
    store[Symbol.dispose]();
    await rm(data, { recursive: true, force: true });
  };
  let closing: Promise<void> | undefined;
  return {
    url: `${address}/sign-in?token=${startToken}`,
    probe: (learner) => Probe.of(runtime, store, learner, labs),
    leftOf: async (sandbox) => {
      const filters = { label: [`${LABEL.sandbox}=${sandbox}`] };
      const containers = await engine.docker.listContainers({ all: true, filters });
      const { Volumes } = await engine.docker.listVolumes({ filters });
      const directories = (await runtime.sharedDirectories.sandboxes()).filter(
        (id) => id === sandbox,
      );
      return [
        ...containers.map(({ Names }) => Names.join(' ')),
        ...(Volumes ?? []).map(({ Name }) => Name),
        ...directories.map((id) => `the shared directory of ${id}`),
      ];
    },
    // A signal and the end of the proof may both come to close it.
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}
