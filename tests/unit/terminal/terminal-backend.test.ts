import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../../server/base/background.ts';
import type { ShellHost } from '../../../server/terminal/shell-host.ts';
import { HostTerminalBackend } from '../../../server/terminal/terminal-backend.ts';

const IDENTITY = { id: 't1', title: 'server01' };
const NEVER = new AbortController().signal;
/** Longer than anything a host is given. */
const LONG_MS = 120_000;
type Run = ShellHost['run'];

/** A host that answers as told, and whose way in is a command of this machine. */
function hostThat(run: Run, command: readonly string[] = ['false']): ShellHost {
  return {
    name: 'server01',
    shared: undefined,
    run,
    runSmall: run,
    ttyCommand: () => ({ file: command[0] ?? '', args: command.slice(1), env: {} }),
  };
}

const answers = (status: number, stderr = ''): Run => {
  return async () => ({ status, stdout: '', stderr });
};

/** A paused host: nothing is answered until the one who asks gives up. */
const neverAnswers: Run = (_, options) =>
  new Promise((_resolve, reject) => {
    options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
  });

let background: Background;
let backend: HostTerminalBackend;

beforeEach(() => {
  background = new Background(() => undefined);
  backend = new HostTerminalBackend({ background });
});

afterEach(async () => {
  vi.useRealTimers();
  await background.settled();
});

test('a shell of which nothing is left has ended for sure', async () => {
  expect(await backend.adopt(hostThat(answers(0)), IDENTITY, NEVER)).toBeUndefined();
});

test.each([
  ['has no process left to look with', answers(126, 'fork: resource temporarily unavailable')],
  ['kills the one who looks', answers(137)],
  ['does not say how the look went', answers(-1)],
  ['belongs to an engine that hiccups', () => Promise.reject(new Error('500 from the engine'))],
] satisfies readonly (readonly [string, Run])[])(
  'a shell on a host that %s may live: adopting it throws',
  async (_, run) => {
    await expect(backend.adopt(hostThat(run), IDENTITY, NEVER)).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
    });
  },
);

test('a host that does not answer is not waited for without end', async () => {
  vi.useFakeTimers();
  const adopted = expect(
    backend.adopt(hostThat(neverAnswers), IDENTITY, NEVER),
  ).rejects.toMatchObject({ code: 'SANDBOX_FAILED', cause: { code: 'SANDBOX_FAILED' } });
  const opened = expect(
    backend.open(hostThat(neverAnswers), IDENTITY, NEVER),
  ).rejects.toMatchObject({
    code: 'SANDBOX_FAILED',
    message: 'No shell could be reached on server01: it has not answered for 15 s.',
    cause: { name: 'TimeoutError' },
  });
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await Promise.all([adopted, opened]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a shell that lives and cannot be joined in time is not taken for one that has ended', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const host = hostThat(answers(1), ['sleep', '1000']);
  const adopted = expect(backend.adopt(host, IDENTITY, NEVER)).rejects.toMatchObject({
    code: 'SANDBOX_FAILED',
    cause: { name: 'TimeoutError' },
  });
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await adopted;
});

test('whoever asks can break off at any moment', async () => {
  const stop = new AbortController();
  const adopted = backend.adopt(hostThat(neverAnswers), IDENTITY, stop.signal);
  stop.abort(new Error('the session has ended'));
  await expect(adopted).rejects.toThrow('the session has ended');
  const joining = backend.adopt(
    hostThat(answers(1), ['sleep', '1000']),
    IDENTITY,
    AbortSignal.abort(new Error('the server stops')),
  );
  await expect(joining).rejects.toThrow('the server stops');
});

test('a shell that could not be joined is ended in the host', async () => {
  const asked: string[] = [];
  const run: Run = async (argv) => {
    asked.push(argv.includes('quayside-end') ? `end ${argv.at(-2)}` : 'start');
    return { status: 0, stdout: '', stderr: '' };
  };
  await expect(backend.open(hostThat(run, ['false']), IDENTITY, NEVER)).rejects.toMatchObject({
    code: 'SANDBOX_FAILED',
  });
  await background.settled();
  expect(asked).toEqual(['start', 'end all']);
});

test('a host that dies with the session it opens a shell for is no failure; one that dies by itself is', async () => {
  const ended = 'end a shell that could not be opened';
  await expect(backend.open(hostThat(answers(137)), IDENTITY, NEVER)).rejects.toThrow('No shell');
  await background.settled();
  expect(background.failures.get(ended)).toBe(1);
  const over = new AbortController();
  const dies: Run = async () => {
    over.abort(new Error('the session has ended'));
    return { status: 137, stdout: '', stderr: '' };
  };
  await expect(backend.open(hostThat(dies), IDENTITY, over.signal)).rejects.toThrow('No shell');
  await background.settled();
  expect(background.failures.get(ended)).toBe(1);
});
