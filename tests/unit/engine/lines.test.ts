import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { jsonLines } from '../../../server/engine/lines.ts';
import { OutputLimitError } from '../../../server/engine/output-limit.ts';

async function all(chunks: readonly (Buffer | string)[]): Promise<unknown[]> {
  return await Readable.from(jsonLines(Readable.from(chunks))).toArray();
}

test('values are read one a line, however the lines are cut, the last one without an end too', async () => {
  expect(await all(['{"a":1}\n\n{"b"', ':2}\n', ' \n[3', ']'])).toEqual([{ a: 1 }, { b: 2 }, [3]]);
});

test('a character that is cut between two chunks stays whole', async () => {
  const bytes = Buffer.from('{"name":"café"}\n');
  const cut = bytes.indexOf('é') + 1;
  expect(await all([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([{ name: 'café' }]);
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
