import { describe, expect, it } from 'vitest';
import { Background } from '../../../server/base/background.ts';

function logged() {
  const lines: [string, unknown][] = [];
  const background = new Background((message, error) => lines.push([message, error]));
  return { background, lines };
}

describe('background work', () => {
  it('that fails is logged and counted by its name, and goes no further', async () => {
    const { background, lines } = logged();
    const rejected = new Error('rejected');
    const thrown = new Error('thrown');
    background.run('watch', () => Promise.reject(rejected));
    background.run('watch', () => {
      throw thrown;
    });
    await background.settled();
    expect(lines).toEqual([
      ['watch', thrown],
      ['watch', rejected],
    ]);
    expect(background.failures).toEqual(new Map([['watch', 2]]));
    expect(background.running).toEqual([]);
  });

  it('that was given up is no failure', async () => {
    const { background, lines } = logged();
    background.run('watch', () => Promise.reject(new Error('aborted')), AbortSignal.abort());
    await background.settled();
    expect(lines).toEqual([]);
  });

  it('is named while it is under way, and waited for with what it begins', async () => {
    const { background } = logged();
    const first = Promise.withResolvers<void>();
    let second = false;
    background.run('first', async () => {
      await first.promise;
      background.run('second', async () => {
        await Promise.resolve();
        second = true;
      });
    });
    expect(background.running).toEqual(['first']);
    first.resolve();
    await background.settled();
    expect(second).toBe(true);
  });

  it('guards a callback, whose arguments come through', () => {
    const { background, lines } = logged();
    const heard: number[] = [];
    const callback = background.guard('socket', (value: number) => {
      heard.push(value);
      if (value === 2) throw new Error('two');
    });
    for (const value of [1, 2, 3]) callback(value);
    expect(heard).toEqual([1, 2, 3]);
    expect(lines).toEqual([['socket', new Error('two')]]);
  });
});
