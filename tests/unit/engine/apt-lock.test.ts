import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHolder, untilAptIsFree } from '../../../server/engine/apt-lock.ts';

/** Takes a lock of fcntl(2), as apt does, and says so. */
const HOLDER = join(import.meta.dirname, '../base/file-lock-holder.ts');

let directory: string;
let locks: readonly string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-apt-'));
  locks = ['lists', 'dpkg'].map((name) => join(directory, name));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Another program that uses apt until it is disposed of. */
async function other(lock: string) {
  const child = execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', HOLDER, lock, 'exclusive'],
    { stdin: 'pipe', reject: false },
  );
  await child.iterable().next();
  const end = async () => {
    child.kill('SIGKILL');
    await child;
  };
  return { pid: child.pid, end, [Symbol.asyncDispose]: end };
}

describe('apt', () => {
  it('is free where its files are missing, or nobody locks them', async () => {
    expect(await lockHolder(locks)).toBeUndefined();
    await using first = await other(String(locks[0]));
    await first.end();
    await untilAptIsFree(() => expect.unreachable(), undefined, locks);
  });

  it('is waited for while another program uses any part of it, which is named once', async () => {
    await using busy = await other(String(locks[1]));
    const said: string[] = [];
    const first = Promise.withResolvers<void>();
    const free = untilAptIsFree(
      (line) => {
        said.push(line);
        first.resolve();
      },
      undefined,
      locks,
    );
    await first.promise;
    expect(await lockHolder(locks)).toMatchObject({ pid: busy.pid });
    await busy.end();
    await free;
    expect(said).toEqual([
      expect.stringMatching(`^Waiting for apt: \\S+ \\(process ${busy.pid}\\) is using it …$`),
    ]);
  });

  it('is waited for no longer than the signal allows', async () => {
    await using busy = await other(String(locks[0]));
    const stop = new AbortController();
    const waiting = untilAptIsFree(() => stop.abort(new Error('too long')), stop.signal, locks);
    await expect(waiting).rejects.toThrow(`(process ${busy.pid}) is still using apt`);
  });
});
