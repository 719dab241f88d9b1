import { expect, test, vi } from 'vitest';
import { ProcessStarts } from '../../../server/engine/process-starts.ts';

/** As many of one container as are started at once. */
const MOST = 8;

interface Begun {
  readonly name: string;
  readonly started: Promise<void>;
}

const begun = (name: string, started = Promise.resolve()): Begun => ({ name, started });

/** Starts that an engine answers when it is told to, and those that nobody wanted when they came. */
function slowEngine() {
  const under: PromiseWithResolvers<Begun>[] = [];
  const dropped: string[] = [];
  const start = (): Promise<Begun> => {
    const answer = Promise.withResolvers<Begun>();
    under.push(answer);
    return answer.promise;
  };
  return { under, dropped, start, drop: ({ name }: Begun) => dropped.push(name) };
}

/** Until everything that is settled has been heard of. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one that is given up keeps its turn until the engine has answered, and is ended then', async () => {
  const starts = new ProcessStarts();
  const { under, dropped, start, drop } = slowEngine();
  for (let given = 0; given < 100; given++) {
    const stop = new AbortController();
    const started = starts.run('c1', stop.signal, start, drop);
    await turn();
    stop.abort(new Error('it took too long'));
    await expect(started).rejects.toThrow('it took too long');
  }
  expect(under).toHaveLength(MOST);
  under[0]?.resolve(begun('late'));
  await turn();
  expect(dropped).toEqual(['late']);
  // The others that waited are wanted by nobody.
  expect(under).toHaveLength(MOST);
});

test('the next in turn is started when one has been answered or refused', async () => {
  const starts = new ProcessStarts();
  const { under, dropped, start, drop } = slowEngine();
  const all = Array.from({ length: MOST + 2 }, () => starts.run('c1', undefined, start, drop));
  await turn();
  expect(under).toHaveLength(MOST);
  under[0]?.resolve(begun('first'));
  under[1]?.reject(new Error('no such container'));
  await expect(all[0]).resolves.toMatchObject({ name: 'first' });
  await expect(all[1]).rejects.toThrow('no such container');
  await turn();
  expect(under).toHaveLength(MOST + 2);
  for (const each of under) each.resolve(begun('there'));
  await Promise.all(all.slice(2));
  expect(dropped).toEqual([]);
});

test('a container whose starts hang keeps no other waiting', async () => {
  const starts = new ProcessStarts();
  const { start, drop } = slowEngine();
  for (let each = 0; each < MOST; each++) void starts.run('stuck', undefined, start, drop);
  const there = await starts.run('c2', undefined, async () => begun('there'), drop);
  expect(there.name).toBe('there');
});

test('one whose line is there and that does not run yet keeps its turn as well', async () => {
  const starts = new ProcessStarts();
  const runs = Promise.withResolvers<void>();
  const { under, start, drop } = slowEngine();
  for (let each = 0; each < MOST; each++) {
    await starts.run('c1', undefined, async () => begun('line', runs.promise), drop);
  }
  void starts.run('c1', undefined, start, drop);
  await turn();
  expect(under).toHaveLength(0);
  runs.resolve();
  await vi.waitFor(() => expect(under).toHaveLength(1));
});
