import { expect, test } from 'vitest';
import { Changes } from '../../../client-driver/changes.ts';

const SOON = { ms: 10_000 } as const;
const AT_ONCE = { ms: 1 } as const;

test('what is so already is found at once', async () => {
  const found = await new Changes().until({
    ...SOON,
    what: 'a number',
    look: () => 7,
    seen: () => 'none',
  });
  expect(found).toBe(7);
});

test('what is not yet so is looked at again after everything that comes, and no more once it is found', async () => {
  const changes = new Changes();
  let value = 0;
  let looks = 0;
  const waiting = changes.until({
    ...SOON,
    what: 'two',
    look: () => {
      looks += 1;
      return value === 2;
    },
    seen: () => `${value}`,
  });
  for (value = 1; value < 5; value++) changes.emit();
  await waiting;
  expect(looks).toBe(3);
});

test('what does not come in time is told with what was there instead', async () => {
  const waiting = new Changes().until({
    ...AT_ONCE,
    what: 'the hosts to be ready',
    look: () => undefined,
    seen: () => 'the session is queued',
  });
  await expect(waiting).rejects.toMatchObject({
    name: 'ExpectationFailed',
    expected: 'the hosts to be ready',
    seen: 'after 0.001 s, the session is queued',
  });
});

test('where nothing more comes, whoever waits is told why, and what is so already is still found', async () => {
  const changes = new Changes();
  const waiting = changes.until({ ...SOON, what: 'more', look: () => false, seen: () => '' });
  changes.close('the socket closed: 1001');
  await expect(waiting).rejects.toThrow('expected more; seen: the socket closed: 1001');
  const found = changes.until({ ...SOON, what: 'a number', look: () => 7, seen: () => '' });
  expect(await found).toBe(7);
});

test('a signal ends the wait with its own reason', async () => {
  const stop = new AbortController();
  const { signal } = stop;
  const wait = { ...SOON, signal, what: 'more', look: () => undefined, seen: () => '' };
  const waiting = new Changes().until(wait);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(new Changes().until(wait)).rejects.toThrow('enough');
});

test('a look that throws ends the wait with that', async () => {
  const changes = new Changes();
  let over = false;
  const waiting = changes.until({
    ...SOON,
    what: 'more',
    look: () => {
      if (over) throw new Error('it has ended');
      return undefined;
    },
    seen: () => '',
  });
  over = true;
  changes.emit();
  await expect(waiting).rejects.toThrow('it has ended');
});
