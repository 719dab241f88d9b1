import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runningEngine } from '../../server/engine/find.ts';
import { loadLabs } from '../../server/labs/loader.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SharedDirectories } from '../../server/sandbox/shared-directory.ts';
import { Store } from '../../server/store/store.ts';
import { startServer } from '../../tests/e2e/server.ts';
import { ScriptedLearner } from './learner.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
/** How often the server is asked whether its pool is full, and for how long (ms). */
const POOL_ASKED_EVERY_MS = 200;
const POOL_FULL_WITHIN_MS = 120_000;

/** A class that has joined, with the server that it sits at. Leaving it ends the server, which removes everything. */
export interface Room extends AsyncDisposable {
  readonly learners: readonly ScriptedLearner[];
  /** Settles when the pool is full: a few sandboxes of each lab stand ready. */
  untilWarm(): Promise<void>;
}

/**
 * Starts the real server for a class, in a process of its own, and lets learners join.
 *
 * @param onLeft told of every sandbox that is still there after the server has removed them all
 */
export async function openRoom(options: {
  readonly learners: number;
  readonly lab: string;
  readonly pool: number;
  readonly onLeft?: (sandbox: string) => void;
}): Promise<Room> {
  const data = await mkdtemp(join(tmpdir(), 'quayside-room-'));
  // The pool keeps its number of each lab.
  const pooled = options.pool * (await loadLabs(PROJECT)).size;
  const server = await startServer(data, {
    args: ['--clean', '--class', 'Bench'],
    // A line for each request of each learner.
    log: 'ignore',
    env: {
      QUAYSIDE_SANDBOXES: String(options.learners + pooled),
      QUAYSIDE_POOL: String(options.pool),
    },
  });
  const learners: ScriptedLearner[] = [];
  for (let index = 1; index <= options.learners; index++) {
    learners.push(await ScriptedLearner.join(server.url, `Learner ${index}`, options.lab));
  }
  return {
    learners,
    untilWarm: async () => {
      const until = performance.now() + POOL_FULL_WITHIN_MS;
      while ((await warmAt(server.url)) < pooled) {
        if (performance.now() > until) throw new Error('the pool does not fill itself');
        await delay(POOL_ASKED_EVERY_MS);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const learner of learners) learner.close();
      await server.stop();
      for (const sandbox of await stillThere(join(data, 'quayside.sqlite'))) {
        options.onLeft?.(sandbox);
      }
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function warmAt(url: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  return Number(/^quayside_sandboxes_warm (\d+)/m.exec(text)?.[1] ?? 0);
}

async function stillThere(path: string): Promise<readonly string[]> {
  using store = new Store(path);
  const engine = await runningEngine(process.env);
  if (!engine) throw new Error('no engine runs');
  const shared = await SharedDirectories.for(engine, store.instance);
  return liveSandboxes({ engine, sharedDirectories: shared }, store.instance);
}
