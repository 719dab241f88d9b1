import { PassThrough, Readable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { stepsOf } from '../../../server/engine/progress-report.ts';

afterEach(() => {
  vi.useRealTimers();
});

const all = async (report: Readable, signal?: AbortSignal) => {
  const steps: (string | undefined)[] = [];
  for await (const { stream } of stepsOf(report, 1_000, signal)) steps.push(stream);
  return steps;
};

test('the steps come one after the other', async () => {
  expect(await all(Readable.from(['{"stream":"a"}\n{"stream', '":"b"}\n']))).toEqual(['a', 'b']);
});

test('a step that failed is an error in the engine’s words', async () => {
  await expect(all(Readable.from(['{"error":"no space left"}\n']))).rejects.toThrow(
    'no space left',
  );
});

test('an engine that falls silent is given up; one that goes on is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const report = new PassThrough();
  const told = expect(all(report)).rejects.toThrow('no progress for 1 s');
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(900);
    report.write('{}\n');
  }
  await vi.advanceTimersByTimeAsync(1_000);
  await told;
  expect(report.destroyed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('the signal ends it', async () => {
  const stopped = new AbortController();
  const reading = all(new PassThrough(), stopped.signal);
  stopped.abort(new Error('ended'));
  await expect(reading).rejects.toThrow('ended');
});
