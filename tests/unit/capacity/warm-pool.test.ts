import { afterEach, beforeEach, expect, test } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { AdmissionQueue } from '../../../server/capacity/admission-queue.ts';
import { WarmPool } from '../../../server/capacity/warm-pool.ts';
import { MemoryEngine } from '../../fixtures/memory-engine.ts';
import { MemoryMachine } from '../../fixtures/memory-machine.ts';
import { memoryRuntime } from '../../fixtures/memory-runtime.ts';
import { MemoryTerminals } from '../../fixtures/memory-terminals.ts';
import { simulatedLab } from '../../simulation/lab.ts';

const LAB = 'harbour';
let undo: AsyncDisposableStack;
beforeEach(() => {
  undo = new AsyncDisposableStack();
});
afterEach(() => undo.disposeAsync());

/** A pool of one sandbox on an engine in memory, and the step of its making at which a test does something. */
function poolOfOne(at: string, act: (pool: WarmPool) => void) {
  const machine = new MemoryMachine();
  machine.hostEngineBootMs = 0;
  const engine = new MemoryEngine(machine);
  const runtime = undo.use(memoryRuntime(engine, 'pool'));
  const background = new Background((_, error) => {
    throw error;
  });
  const end = new AbortController();
  undo.defer(() => end.abort(new Error('the test is over')));
  const closing = end.signal;
  const queue = new AdmissionQueue({
    ...{ runtime, background, closing, instance: 'pool' },
    ...{ most: 1, startsAtOnce: () => 1, hasMemory: () => true },
  });
  queue.open();
  const ready = Promise.withResolvers<void>();
  const made = new Set<string>();
  const labs = new Map([[LAB, simulatedLab(LAB)]]);
  const pool = new WarmPool({
    ...{ background, closing, labs },
    terminals: new MemoryTerminals(engine, background),
    size: 1,
    takeSlot: () => queue.takeSpare(),
    onChange: () => {
      if (pool.size === 1) ready.resolve();
      else pool.fill();
    },
  });
  let hasActed = false;
  machine.onCall = ({ op, target }) => {
    if (op === 'container.create' && target.endsWith('-switch')) made.add(target);
    if (hasActed || op !== at) return;
    hasActed = true;
    act(pool);
  };
  pool.fill();
  return { pool, labs, made, ready: ready.promise };
}

test('a sandbox of which something ended while it was made is not given out: another one is made', async () => {
  const { pool, made, ready } = poolOfOne('shell.start', (making) => making.evict(() => true));
  await ready;
  const [first, second] = made;
  expect(made.size).toBe(2);
  const id = pool.take(LAB)?.slot.sandbox;
  expect(`quayside-${id}-switch`).toBe(second);
  expect(second).not.toBe(first);
});

test('a sandbox stays in the pool when another one is no longer as it was made', async () => {
  const { pool, made, ready } = poolOfOne('shell.start', (making) => making.evict(() => false));
  await ready;
  expect(made.size).toBe(1);
  expect(pool.take(LAB)).toBeDefined();
});
