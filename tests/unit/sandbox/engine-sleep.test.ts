import { expect, test } from 'vitest';
import { EngineSleep } from '../../../server/sandbox/engine-sleep.ts';

test('it is woken once for all who ask, and each is told', async () => {
  const sleep = new EngineSleep();
  sleep.begin();
  const work = Promise.withResolvers<'awake'>();
  let works = 0;
  const wake = () =>
    sleep.wake(() => {
      works += 1;
      return work.promise;
    });
  const told = Promise.all([wake(), wake(), sleep.untilAwake]);
  expect(sleep.isAsleep).toBe(true);
  work.resolve('awake');
  await told;
  expect([works, sleep.isAsleep]).toEqual([1, false]);
  await wake();
  expect(works).toBe(1);
});

test('one that could not be woken sleeps on, and may be woken again', async () => {
  const sleep = new EngineSleep();
  sleep.begin();
  await expect(sleep.wake(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(sleep.isAsleep).toBe(true);
  await sleep.wake(async () => 'awake');
  expect(sleep.isAsleep).toBe(false);
});

test('one that is found asleep after all sleeps on, and may be woken', async () => {
  const sleep = new EngineSleep();
  sleep.begin();
  await sleep.wake(async () => 'asleep');
  expect(sleep.isAsleep).toBe(true);
  await sleep.wake(async () => 'awake');
  expect(sleep.isAsleep).toBe(false);
});

test('one that is found awake is awake for whoever waits', async () => {
  const sleep = new EngineSleep();
  await sleep.untilAwake;
  sleep.begin();
  const waiting = sleep.untilAwake;
  sleep.end();
  await waiting;
  expect(sleep.isAsleep).toBe(false);
});
