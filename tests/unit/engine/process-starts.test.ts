import { expect, test } from 'vitest';
import { ProcessStarts } from '../../../server/engine/process-starts.ts';

/** As many of one container as are started at once. */
const MOST = 8;

/** Starts that an engine answers when it is told to, and those that nobody wanted when they came. */
function slowEngine() {
  const under: PromiseWithResolvers<string>[] = [];
  const dropped: string[] = [];
  const start = (): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    under.push(answer);
    return answer.promise;
  };
  return { under, dropped, start, drop: (late: string) => dropped.push(late) };
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
  under[0]?.resolve('late');
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
  under[0]?.resolve('first');
  under[1]?.reject(new Error('no such container'));
  await expect(all[0]).resolves.toBe('first');
  await expect(all[1]).rejects.toThrow('no such container');
  await turn();
  expect(under).toHaveLength(MOST + 2);
  for (const each of under) each.resolve('there');
  await Promise.all(all.slice(2));
  expect(dropped).toEqual([]);
});

test('a container whose starts hang keeps no other waiting', async () => {
  const starts = new ProcessStarts();
  const { start, drop } = slowEngine();
  for (let each = 0; each < MOST; each++) void starts.run('stuck', undefined, start, drop);
  expect(await starts.run('c2', undefined, async () => 'there', drop)).toBe('there');
});
