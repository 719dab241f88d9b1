import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadline, sleep, withAbort } from '../../../server/base/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a deadline', () => {
  it('is over at its time, and says so', () => {
    using limit = deadline(50);
    vi.advanceTimersByTime(49);
    expect(limit.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('ends with the work around it, for that one’s reason', () => {
    const outer = new AbortController();
    using limit = deadline(50, outer.signal);
    outer.abort(new Error('reset'));
    expect(limit.signal.reason).toEqual(new Error('reset'));
  });

  it('leaves no timer behind once its work is done', () => {
    deadline(50)[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a wait', () => {
  it('is over at its time', async () => {
    const waited = sleep(50);
    vi.advanceTimersByTime(50);
    await expect(waited).resolves.toBeUndefined();
  });

  it('is given up at once with its signal, and leaves no timer', async () => {
    const stop = new AbortController();
    const waited = sleep(50, stop.signal);
    stop.abort(new Error('closed'));
    await expect(waited).rejects.toThrow('closed');
    expect(vi.getTimerCount()).toBe(0);
    await expect(sleep(50, stop.signal)).rejects.toThrow('closed');
  });
});

it('a work that does not heed its signal is given up all the same', async () => {
  const stop = new AbortController();
  const given = withAbort(stop.signal, () => new Promise(() => undefined));
  stop.abort(new Error('late'));
  await expect(given).rejects.toThrow('late');
});

describe('a process that has nothing else to do', () => {
  const module = new URL('../../../server/base/deadline.ts', import.meta.url).href;
  const run = (milliseconds: number, options: string) =>
    execa(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      `const { sleep } = await import('${module}');
       sleep(${milliseconds}, undefined, ${options}).then(() => console.log('slept'));`,
    ]);

  it('waits for a sleep that keeps it alive', async () => {
    expect((await run(1, '{ ref: true }')).stdout).toBe('slept');
  });

  it('ends before any other', async () => {
    expect((await run(3_600_000, '{}')).stdout).toBe('');
  });
});
