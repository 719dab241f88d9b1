import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { defineLab } from '#lab';
import type { DialedProcess, Engine } from '../../../server/engine/engine.ts';
import { Host } from '../../../server/sandbox/host.ts';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

const [SPEC] = defineLab({
  title: 'T',
  hosts: { server01: { address: '10.0.0.1/24' } },
  browser: 'server01',
  sections: [],
}).hosts;
/** Longer than any command may take. */
const LONG_MS = 60_000;

afterEach(() => {
  vi.useRealTimers();
});

/** A host on an engine that starts processes as told, and counts them. */
function hostOn(dial: (argv: readonly string[]) => Duplex) {
  const started = { lines: 0, processes: [] as (readonly string[])[] };
  const engine: Pick<Engine, 'dial' | 'run'> = {
    dial: async (_, argv): Promise<DialedProcess> => {
      started.lines += 1;
      const stream = dial(argv);
      return {
        stream,
        stderr: () => '',
        exited: Promise.resolve(0),
        [Symbol.asyncDispose]: async () => void stream.destroy(),
      };
    },
    run: async (_, argv, options) => {
      started.processes.push([options?.user ?? '', ...argv]);
      return { status: 0, stdout: 'from the engine', stderr: '' };
    },
  };
  if (!SPEC) throw new Error('no host');
  return { host: new Host(engine as Engine, SPEC, 'c1', undefined, new WakeTurns(2)), started };
}

function localShell([file = '', ...args]: readonly string[]): Duplex {
  const { stdout, stdin } = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  return Duplex.from({ readable: stdout, writable: stdin });
}

test('small commands share one process of the engine’s, one user’s as another’s', async () => {
  const { host, started } = hostOn(localShell);
  for (const word of ['one', 'two', 'three']) {
    expect(await host.runSmall(['echo', word])).toEqual({ status: 0, stdout: word, stderr: '' });
  }
  const asUser = await host.runSmall(['true'], { user: 'nobody-here' });
  expect(asUser.stdout).toContain('setpriv');
  expect(started).toEqual({ lines: 1, processes: [] });
});

test('where no shell can be had there, the engine runs a small command', async () => {
  const { host, started } = hostOn(() => {
    throw new Error('refused');
  });
  const { stdout } = await host.runSmall(['echo', 'one'], { user: 'learner' });
  expect(stdout).toBe('from the engine');
  expect(started.processes).toEqual([['learner', 'echo', 'one']]);
});

test('where the shell there says nothing for seconds, the engine runs a small command', async () => {
  vi.useFakeTimers();
  const { host, started } = hostOn(
    () => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }),
  );
  const answer = host.runSmall(['echo', 'one']);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect((await answer).stdout).toBe('from the engine');
  expect(started).toEqual({ lines: 1, processes: [['', 'echo', 'one']] });
});

test('a check that floods its shell keeps no small command from another', async () => {
  const { host, started } = hostOn(localShell);
  const { signal } = new AbortController();
  await expect(host.exec(['yes'], signal)).rejects.toThrow('of output');
  expect((await host.runSmall(['echo', 'one'])).stdout).toBe('one');
  expect(started).toEqual({ lines: 2, processes: [] });
});

test('a small command is given up with its signal, and is not run again', async () => {
  const { host, started } = hostOn(
    () => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }),
  );
  const given = new AbortController();
  const answer = host.runSmall(['echo', 'one'], { signal: given.signal });
  given.abort(new Error('given up'));
  await expect(answer).rejects.toThrow('given up');
  expect(started.processes).toEqual([]);
});
