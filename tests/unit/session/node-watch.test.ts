import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { NodeView } from '#protocol';
import { Background } from '../../../server/base/background.ts';
import type { PlacementNode } from '../../../server/sandbox/runtime.ts';
import { NodeWatch } from '../../../server/session/node-watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;
const READY: PlacementNode = { id: 'n1', name: 'lab (n1)', state: 'ready', room: 9 };

/** A watch of a Swarm with one node. */
function watchOf() {
  const swarm = { node: READY, looks: 0, learners: 2, fault: undefined as Error | undefined };
  const failures: string[] = [];
  const background = new Background((name) => void failures.push(name));
  const end = new AbortController();
  const watch = new NodeWatch({
    placement: {
      nodes: async () => {
        swarm.looks += 1;
        if (swarm.fault) throw swarm.fault;
        return [swarm.node];
      },
      setInService: async (_, isInService) => {
        swarm.node = { ...READY, ...(!isInService && { state: 'drained', room: 0 }) };
      },
    },
    learners: () => new Map([[READY.name, swarm.learners]]),
    background,
    signal: end.signal,
  });
  return { watch, swarm, background, failures, end };
}

test('the nodes are looked at for whoever looks on, and told again when they have changed', async () => {
  const { watch, swarm, background } = watchOf();
  const told: (readonly NodeView[])[] = [];
  const looking = watch.subscribe((nodes) => void told.push(nodes));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(told).toEqual([[{ ...READY, learners: 2 }]]);
  swarm.learners = 3;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(told.slice(1)).toEqual([[{ ...READY, learners: 3 }]]);
  looking[Symbol.dispose]();
  await background.settled();
  const { looks } = swarm;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(swarm.looks).toBe(looks);
});

test('nobody looks, nothing is asked', async () => {
  const { swarm, background } = watchOf();
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect([swarm.looks, background.running]).toEqual([0, []]);
});

test('a second page is told at once, and the first stays when it goes', async () => {
  const { watch, swarm, background } = watchOf();
  using _ = watch.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  const told = vi.fn();
  watch.subscribe(told)[Symbol.dispose]();
  expect(told).toHaveBeenCalledExactlyOnceWith([{ ...READY, learners: 2 }]);
  expect([swarm.looks, background.running]).toEqual([1, ['the nodes']]);
});

test('a drain is seen before the next look is due', async () => {
  const { watch } = watchOf();
  const told = vi.fn();
  using _ = watch.subscribe(told);
  await vi.advanceTimersByTimeAsync(0);
  await watch.setInService('n1', false);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toHaveBeenLastCalledWith([{ ...READY, state: 'drained', room: 0, learners: 2 }]);
});

test('a look that fails is counted, and the next is made', async () => {
  const { watch, swarm, failures } = watchOf();
  swarm.fault = new Error('the manager does not answer');
  const told = vi.fn();
  using _ = watch.subscribe(told);
  await vi.advanceTimersByTimeAsync(0);
  expect([failures, told.mock.calls]).toEqual([['a look at the nodes'], []]);
  swarm.fault = undefined;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(told).toHaveBeenCalledOnce();
});

test('with the server’s end the looks end, whoever looks on', async () => {
  const { watch, background, failures, end } = watchOf();
  using _ = watch.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  end.abort(new Error('the server stops'));
  await background.settled();
  expect([background.running, failures]).toEqual([[], []]);
});
