import { expect, test } from 'vitest';
import { onEachMachine } from '../../../server/sandbox/machines.ts';
import type { Machine, SandboxRuntime } from '../../../server/sandbox/runtime.ts';

/** A machine that knows nothing but its number of processors. */
function machine(processors: number): Machine & { readonly gone: AbortController } {
  const gone = new AbortController();
  const runtime = { processors } as SandboxRuntime;
  return { name: `node${processors}`, runtime, lost: gone.signal, gone };
}

const placementOf = (...machines: readonly Machine[]) => ({ machines: () => machines });

/** Ends only when it is broken off. */
function never(signal: AbortSignal): Promise<number> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

test('every machine is asked, each with what it has', async () => {
  const placement = placementOf(machine(2), machine(4));
  const asked = onEachMachine(placement, undefined, async ({ processors }) => processors);
  expect(await asked).toEqual([2, 4]);
});

test('a machine that is lost before it answers is left out', async () => {
  const lost = machine(4);
  const asked = onEachMachine(placementOf(machine(2), lost), undefined, (runtime, signal) =>
    runtime === lost.runtime ? never(signal) : Promise.resolve(runtime.processors),
  );
  lost.gone.abort(new Error('this machine is lost'));
  expect(await asked).toEqual([2]);
});

test('what fails on a machine that is there is thrown', async () => {
  const asked = onEachMachine(placementOf(machine(2)), undefined, async () => {
    throw new Error('no room');
  });
  await expect(asked).rejects.toThrow('no room');
});

test('the signal of whoever asks ends it', async () => {
  const stop = new AbortController();
  const asked = onEachMachine(placementOf(machine(2)), stop.signal, (_, signal) => never(signal));
  stop.abort(new Error('the server stops'));
  await expect(asked).rejects.toThrow('the server stops');
});
