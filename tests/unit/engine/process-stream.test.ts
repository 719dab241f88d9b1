import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { OutputLimitError } from '../../../server/engine/output-limit.ts';
import { ProcessStream } from '../../../server/engine/process-stream.ts';
import { ReadBudget } from '../../../server/engine/read-budget.ts';

const STDOUT = 1;
const STDERR = 2;

/** One frame as Docker puts it around what a process prints. */
function frame(stream: number, text: string | Buffer): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

/** What a process printed, put into the stream in pieces of a size. */
async function read(frames: readonly Buffer[], pieceBytes: number) {
  const wire = new PassThrough();
  const stream = new ProcessStream(wire);
  const all = Buffer.concat(frames);
  for (let at = 0; at < all.length; at += pieceBytes) wire.write(all.subarray(at, at + pieceBytes));
  wire.end();
  const stdout = Buffer.concat(await stream.toArray()).toString();
  return { stdout, stderr: stream.stderr };
}

test.each([1, 3, 8, 1_000])(
  'stdout and stderr are told apart, in pieces of %i bytes',
  async (size) => {
    const frames = [
      frame(STDOUT, 'one '),
      frame(STDERR, 'grü'),
      frame(STDERR, 'ße'),
      frame(STDOUT, 'two'),
    ];
    expect(await read(frames, size)).toEqual({ stdout: 'one two', stderr: 'grüße' });
  },
);

test('of stderr the last 16 KiB are kept, however they were cut', async () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `${i};`).join('');
  for (const size of [7, 4_000, 40_000]) {
    const frames: Buffer[] = [];
    for (let at = 0; at < text.length; at += size)
      frames.push(frame(STDERR, text.slice(at, at + size)));
    expect((await read(frames, 32 * 1024)).stderr).toBe(text.slice(-16 * 1024));
  }
});

test('a process that floods either of them is given up', async () => {
  for (const stream of [STDOUT, STDERR]) {
    const wire = new PassThrough();
    const process = new ProcessStream(wire, new ReadBudget());
    const flood = frame(stream, Buffer.alloc(64 * 1024));
    const reading = process.resume().toArray();
    let written = 0;
    const pump = (): void => {
      while (!wire.destroyed && written < 100 * 1024 ** 2) {
        written += flood.length;
        if (!wire.write(flood)) return void wire.once('drain', pump);
      }
    };
    pump();
    await expect(reading).rejects.toThrow(OutputLimitError);
    expect(wire.destroyed).toBe(true);
    expect(written).toBeLessThan(9 * 1024 ** 2);
  }
});

test('frames of one byte are given up long before they are many', async () => {
  const wire = new PassThrough();
  const process = new ProcessStream(wire, new ReadBudget());
  const flood = Buffer.concat(Array.from({ length: 1_000 }, () => frame(STDOUT, 'y')));
  let read = 0;
  process.on('data', () => read++);
  const failed = new Promise((resolve) => process.once('error', resolve));
  for (let i = 0; i < 100; i++) wire.write(flood);
  expect(await failed).toBeInstanceOf(OutputLimitError);
  expect(read).toBeLessThan(35_000);
});

test('what came before the connection closed is read, also by a slow reader', async () => {
  const wire = new PassThrough();
  const stream = new ProcessStream(wire);
  stream.once('readable', () => undefined);
  const closed = new Promise((resolve) => wire.once('close', resolve));
  wire.end(frame(STDOUT, 'the last words'));
  await closed;
  expect(Buffer.concat(await stream.toArray()).toString()).toBe('the last words');
});

test('a connection that breaks while nothing reads it yet ends no process', async () => {
  const wire = new PassThrough();
  const stream = new ProcessStream(wire);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  // The test's own process would fail.
  wire.destroy(new Error('read ECONNRESET'));
  await closed;
  await expect(stream.toArray()).rejects.toThrow();
});

test('a connection that broke in the middle is told from one that ended', async () => {
  const wire = new PassThrough();
  const stream = new ProcessStream(wire);
  wire.write(frame(STDOUT, 'the last'));
  const reading = stream.toArray();
  wire.destroy();
  await expect(reading).rejects.toThrow('Premature close');
});
