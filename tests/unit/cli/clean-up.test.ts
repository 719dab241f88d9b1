import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cleanUp } from '../../../server/cli/clean-up.ts';
import { labelsOf, objectName } from '../../../server/sandbox/labels.ts';
import { Store } from '../../../server/store/store.ts';
import { MemoryEngine } from '../../fixtures/memory-engine.ts';
import { MemoryMachine } from '../../fixtures/memory-machine.ts';
import { memoryRuntime } from '../../fixtures/memory-runtime.ts';

let undo: AsyncDisposableStack;
let machine: MemoryMachine;
let store: Store;
let told: string[];
beforeEach(() => {
  undo = new AsyncDisposableStack();
  machine = new MemoryMachine();
  store = undo.use(new Store(':memory:'));
  told = [];
});
afterEach(async () => {
  await undo.disposeAsync();
  vi.useRealTimers();
});

const tell = (line: string) => void told.push(line);
const place = () => undo.use(memoryRuntime(new MemoryEngine(machine), store.instance));

/** A session of a server that is gone, with a sandbox of one container. */
async function left(sandbox: string) {
  const session = store.session(store.learners.create().learner, 'harbour');
  await session.begin({ sandbox, at: 0, version: undefined });
  const labels = { instance: store.instance, sandbox, session: session.id };
  machine.create({ name: objectName(labels, 'switch'), Labels: labelsOf(labels, 'switch') });
  return session;
}

/** From now on time passes when a test lets it: the store, which was written to before, has clocks of its own. */
const stopClocks = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

/** The removal of that sandbox's container takes so long. */
function slow(sandbox: string, before: number): void {
  machine.plan = ({ op, target }) => {
    const isIt = op === 'container.remove' && target.includes(sandbox);
    return { outcome: 'done', before: isIt ? before : 0, after: 0 };
  };
}

test('a removal that takes a minute is waited for', async () => {
  const session = await left('one');
  slow('one', 59_000);
  stopClocks();
  const cleaned = cleanUp(place(), store, tell);
  await vi.advanceTimersByTimeAsync(60_000);
  await cleaned;
  expect(told.at(-1)).toBe('Removed 1 sandbox.');
  expect(session.row.sandbox).toBeUndefined();
  expect(machine.containers.size).toBe(0);
});

test('what stays is said with how to go on; all else is removed, and only that is forgotten', async () => {
  const [stuck, other] = [await left('one'), await left('two')];
  machine.plan = ({ op, target }) => {
    const isIt = op === 'container.remove' && target.includes('one');
    return { outcome: isIt ? 'refused' : 'done', before: 0, after: 0 };
  };
  stopClocks();
  const cleaned = expect(cleanUp(place(), store, tell)).rejects.toMatchObject({
    code: 'SANDBOX_FAILED',
    message: expect.stringMatching(
      /^Of 2 sandboxes 1 could not be removed:\n {2}Sandbox one could not be removed: quayside-one-switch\. The engine says: /,
    ),
    remedy: expect.stringContaining('npm run clean'),
  });
  await vi.advanceTimersByTimeAsync(181_000);
  await cleaned;
  expect(told.at(-1)).toBe('Removed 1 sandbox.');
  expect([stuck.row.sandbox, other.row.sandbox]).toEqual(['one', undefined]);
  expect(machine.containers.size).toBe(1);
  vi.useRealTimers();
  machine.plan = () => ({ outcome: 'done', before: 0, after: 0 });
  await cleanUp(place(), store, tell);
  expect(stuck.row.sandbox, 'typed again').toBeUndefined();
});

test('an engine that does not say what there is, is said as that, and nothing is forgotten', async () => {
  const session = await left('one');
  machine.plan = () => ({ outcome: 'cut', before: 0, after: 0 });
  await expect(cleanUp(place(), store, tell)).rejects.toMatchObject({
    code: 'ENGINE_REFUSES',
    message: expect.stringContaining('does not say what is there to remove'),
  });
  expect(session.row.sandbox).toBe('one');
});
