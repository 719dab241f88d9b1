import { PassThrough, Readable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import {
  jsonLines,
  OutputLimitError,
  readAll,
  stepsOf,
} from '../../../server/engine/output-limit.ts';

const MIB = 1024 ** 2;

afterEach(() => {
  vi.useRealTimers();
});

test('a small piece of a large block keeps nothing of the block', async () => {
  const pieces = Array.from({ length: 100 }, () =>
    Buffer.allocUnsafeSlow(MIB).fill('x').subarray(0, 2),
  );
  const all = await readAll(Readable.from(pieces), 64 * 1024);
  expect(all.toString()).toBe('x'.repeat(200));
  expect(all.buffer.byteLength).toBeLessThanOrEqual(64 * 1024);
});

async function values(chunks: readonly (Buffer | string)[]): Promise<unknown[]> {
  return await Readable.from(jsonLines(Readable.from(chunks))).toArray();
}

test('values are read one a line, however the lines are cut, the last one without an end too', async () => {
  expect(await values(['{"a":1}\n\n{"b"', ':2}\n', ' \n[3', ']'])).toEqual([
    { a: 1 },
    { b: 2 },
    [3],
  ]);
});

test('a character that is cut between two chunks stays whole', async () => {
  const bytes = Buffer.from('{"name":"café"}\n');
  const cut = bytes.indexOf('é') + 1;
  expect(await values([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([{ name: 'café' }]);
});

test('a line without an end is read no further than the longest line', async () => {
  let read = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read += 1024;
        yield Buffer.alloc(1024, '[');
      }
    })(),
  );
  await expect(Readable.from(jsonLines(endless)).toArray()).rejects.toThrow(OutputLimitError);
  expect(read).toBeLessThan(300 * 1024);
  expect(endless.destroyed).toBe(true);
});

const stepsIn = async (report: Readable, signal?: AbortSignal) => {
  const steps: (string | undefined)[] = [];
  for await (const { stream } of stepsOf(report, 1_000, signal)) steps.push(stream);
  return steps;
};

test('the steps come one after the other', async () => {
  expect(await stepsIn(Readable.from(['{"stream":"a"}\n{"stream', '":"b"}\n']))).toEqual([
    'a',
    'b',
  ]);
});

test('a step that failed is an error in the engine’s words', async () => {
  await expect(stepsIn(Readable.from(['{"error":"no space left"}\n']))).rejects.toThrow(
    'no space left',
  );
});

test('an engine that falls silent is given up; one that goes on is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const report = new PassThrough();
  const told = expect(stepsIn(report)).rejects.toThrow('no progress for 1 s');
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
  const reading = stepsIn(new PassThrough(), stopped.signal);
  stopped.abort(new Error('ended'));
  await expect(reading).rejects.toThrow('ended');
});
