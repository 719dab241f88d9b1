import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sideBySide } from '../../../server/base/side-by-side.ts';

test('every item is worked on once, several at a time but never all', async () => {
  const items = Array.from({ length: 1000 }, (_, index) => index);
  const done: number[] = [];
  let atWork = 0;
  let most = 0;
  await sideBySide(items, async (item) => {
    atWork += 1;
    most = Math.max(most, atWork);
    await turn();
    atWork -= 1;
    done.push(item);
  });
  expect(done.sort((a, b) => a - b)).toEqual(items);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(items.length);
});

test('the next item does not wait for one that takes long', async () => {
  const long = Promise.withResolvers<void>();
  const done: number[] = [];
  await sideBySide([0, 1, 2, 3, 4], async (item) => {
    if (item === 0) await long.promise;
    done.push(item);
    if (done.length === 4) long.resolve();
  });
  expect(done.at(-1)).toBe(0);
});

test('a work that fails is heard of', async () => {
  const failing = sideBySide([1], () => Promise.reject(new Error('no room')));
  await expect(failing).rejects.toThrow('no room');
});
