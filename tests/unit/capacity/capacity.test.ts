import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import { AT_ONCE, Capacity } from '../../../server/capacity/capacity.ts';
import { liveSandboxes } from '../../../server/sandbox/removal.ts';
import type { Machine, Placement, SandboxRuntime } from '../../../server/sandbox/runtime.ts';
import { Store } from '../../../server/store/store.ts';
import { MemoryEngine } from '../../fixtures/memory-engine.ts';
import { MemoryMachine, PROMPT } from '../../fixtures/memory-machine.ts';
import { memoryRuntime } from '../../fixtures/memory-runtime.ts';
import { MemoryTerminals } from '../../fixtures/memory-terminals.ts';
import { simulatedLab } from '../../simulation/lab.ts';

const LAB = 'harbour';
/** An engine that is busy makes a container so slowly (ms) that what is asked after it is answered first. */
const SLOW_MS = 50;

/** Room for one sandbox, which the pool wants. */
async function poolOfOne(open: AsyncDisposableStack) {
  const store = open.use(new Store(':memory:'));
  const machine = new MemoryMachine();
  const engine = new MemoryEngine(machine);
  const runtime = open.use(memoryRuntime(engine, store.instance));
  const background = new Background(() => undefined);
  const capacity = new Capacity({
    ...{ runtime, store, background },
    labs: new Map([[LAB, simulatedLab(LAB)]]),
    terminals: new MemoryTerminals(engine, background),
    ...{ sandboxesMost: 1, pool: 1, startsAtOnce: 1, hasMemory: () => true },
  });
  const making = Promise.withResolvers<void>();
  machine.onCall = ({ op }) => op === 'container.create' && making.resolve();
  return { store, machine, runtime, capacity, making: making.promise };
}

test('a container that is being made when all is to be removed is waited for, and removed', async () => {
  await using open = new AsyncDisposableStack();
  const { store, machine, runtime, capacity, making } = await poolOfOne(open);
  machine.plan = ({ op }) => (op === 'container.create' ? { ...PROMPT, before: SLOW_MS } : PROMPT);
  capacity.open();
  await making;
  capacity.close();
  await capacity.removeAll();
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
  await sleep(2 * SLOW_MS);
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
});

test('a place that is freed while the server stops is left empty', async () => {
  await using open = new AsyncDisposableStack();
  const { store, runtime, capacity } = await poolOfOne(open);
  const slot = capacity.queue.takeUp();
  capacity.open();
  await capacity.found;
  capacity.closePool();
  await slot.release();
  await sleep(SLOW_MS);
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
  capacity.close();
});

test('with several machines so many start side by side as all of them have processors for, also as they come', async () => {
  await using open = new AsyncDisposableStack();
  const store = open.use(new Store(':memory:'));
  const engine = new MemoryEngine(new MemoryMachine());
  const runtime = open.use(memoryRuntime(engine, store.instance));
  const background = new Background(() => undefined);
  const machine = (name: string): Machine => ({
    name,
    runtime: { processors: AT_ONCE } as SandboxRuntime,
    lost: new AbortController().signal,
  });
  const machines = [machine('one')];
  const placement: Pick<Placement, 'machines' | 'hasRoom'> = {
    machines: () => machines,
    hasRoom: () => true,
  };
  const capacity = new Capacity({
    ...{ store, background, labs: new Map(), sandboxesMost: 1_000 },
    runtime: { ...runtime, placement: placement as Placement },
    terminals: new MemoryTerminals(engine, background),
  });
  open.defer(() => capacity.close());
  capacity.queue.open();
  let begun = 0;
  const onSlot = () => {
    begun += 1;
  };
  const nothing = () => undefined;
  for (let each = 0; each < 4 * AT_ONCE; each++) {
    capacity.queue.join({ lab: undefined, onSlot, onWarm: nothing, onPosition: nothing });
  }
  expect(begun).toBe(AT_ONCE + 1);
  machines.push(machine('two'));
  capacity.queue.reevaluate();
  expect(begun).toBe(2 * (AT_ONCE + 1));
});
