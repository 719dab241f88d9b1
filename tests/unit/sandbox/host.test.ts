import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { defineLab, type LabHost } from '#lab';
import type { Engine } from '../../../server/engine/engine.ts';
import { ENGINE_DOWN, Host } from '../../../server/sandbox/host.ts';
import { HostCannotRunError } from '../../../server/sandbox/host-cannot-run.ts';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

afterEach(() => {
  vi.useRealTimers();
});

const LAB = defineLab({
  title: 'T',
  hosts: { a: { address: '10.0.0.1/24', engine: true, images: ['mycontainer'] } },
  images: { mycontainer: 'mycontainer' },
  browser: 'a',
  sections: [],
});
const NEVER = new AbortController().signal;
const [SPEC] = LAB.hosts as readonly [LabHost];

describe('an image is loaded under the lab’s name for it:', () => {
  test.each([
    ['mycontainer:5.6', { repo: 'mycontainer', tag: '5.6' }],
    ['mycontainer', { repo: 'mycontainer', tag: 'latest' }],
    ['registry:5000/mycontainer', { repo: 'registry:5000/mycontainer', tag: 'latest' }],
    ['registry:5000/a/mycontainer:1', { repo: 'registry:5000/a/mycontainer', tag: '1' }],
  ])('%s', async (name, parts) => {
    const asked: unknown[] = [];
    const tagged: unknown[] = [];
    const docker = {
      listImages: async ({ filters }: { filters: unknown }) => {
        asked.push(filters);
        return [];
      },
      loadImage: async () => Readable.from(['{"stream":"Loaded"}\n']),
      getImage: () => ({
        tag: async ({ repo, tag }: { repo: string; tag: string }) => tagged.push({ repo, tag }),
        remove: async () => undefined,
      }),
    };
    const engine = { nested: () => docker } as unknown as Engine;
    const host = new Host(engine, SPEC, 'c1', undefined, new WakeTurns(2));
    await host.ensureImage(name, 'quayside/mycontainer:abc', async () => Buffer.alloc(0), NEVER);
    expect(tagged).toEqual([parts]);
    // Any other tag of it is another image.
    expect(asked).toEqual([{ reference: [`${parts.repo}:${parts.tag}`] }]);
  });
});

test('what is said of an engine that is down is so on the learner’s page and on the instructor’s', () => {
  expect(Object.values(ENGINE_DOWN).join(' ')).not.toMatch(/menu|button|page/);
});

test('a host’s engine that never comes is given up, with what it logged, cut short', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const engine = {
    run: (_: string, [program]: readonly string[], { signal }: { signal: AbortSignal }) =>
      program === 'tail'
        ? Promise.resolve({
            status: 0,
            stdout: `${'x'.repeat(10_000)}: no space left\n`,
            stderr: '',
          })
        : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  } as unknown as Engine;
  const host = new Host(engine, SPEC, 'c1', undefined, new WakeTurns(2));
  const failure = host.untilEngineAnswers().catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  const { message } = (await failure) as Error;
  expect(message).toMatch(/^The Docker Engine of a does not answer\. x+: no space left$/);
  expect(message.length).toBeLessThan(700);
});

test('an engine that fails once with the lab’s settings, and is slow to start then, is waited for', async () => {
  let words = 'failed to start daemon: by chance';
  let looks = 0;
  const engine = {
    run: async () => {
      looks += 1;
      return { status: looks < 4 ? 124 : 0, stdout: '', stderr: '' };
    },
  } as unknown as Engine;
  const host = new Host(
    engine,
    { ...SPEC, engineSettings: '{"debug":true}' },
    'c1',
    undefined,
    new WakeTurns(2),
  );
  vi.spyOn(host, 'exec').mockImplementation(async () => ({
    status: words === '' ? 1 : 0,
    output: words,
  }));
  vi.spyOn(host, 'runSmall').mockImplementation(async (argv) => {
    expect(argv).toEqual(['rm', '-f', '/run/quayside/engine.words']);
    words = '';
    return { status: 0, stdout: '', stderr: '' };
  });
  await host.untilEngineAnswers();
});

test('an engine that fails twice with the lab’s settings is given up, in its words of the second time', async () => {
  const said = ['the first time', '', 'the second time'];
  const engine = { run: async () => ({ status: 124, stdout: '', stderr: '' }) };
  const spec = { ...SPEC, engineSettings: '{"wrong":true}' };
  const host = new Host(engine as unknown as Engine, spec, 'c1', undefined, new WakeTurns(2));
  vi.spyOn(host, 'exec').mockImplementation(async () => {
    const output = said.shift() ?? '';
    return { status: output === '' ? 1 : 0, output };
  });
  vi.spyOn(host, 'runSmall').mockResolvedValue({ status: 0, stdout: '', stderr: '' });
  await expect(host.untilEngineAnswers()).rejects.toThrow('the second time');
});

test('an engine that fails twice for another reason is given up at once, in its words, without control characters', async () => {
  const engine = { run: async () => ({ status: 124, stdout: '', stderr: '' }) };
  const host = new Host(engine as unknown as Engine, SPEC, 'c1', undefined, new WakeTurns(2));
  vi.spyOn(host, 'exec').mockResolvedValue({ status: 0, output: 'no\u001b[31m overlay' });
  vi.spyOn(host, 'runSmall').mockResolvedValue({ status: 0, stdout: '', stderr: '' });
  const failure = await host.untilEngineAnswers().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostCannotRunError);
  expect(failure).toMatchObject({
    code: 'SANDBOX_FAILED',
    message: 'The Docker Engine of a cannot start: no [31m overlay.',
  });
});

test('where no directory is shared, one process waits for the engine, however often it is looked for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answered = Promise.withResolvers<{ status: number; stdout: string; stderr: string }>();
  const run = vi.fn(() => answered.promise);
  const host = new Host({ run } as unknown as Engine, SPEC, 'c1', undefined, new WakeTurns(2));
  vi.spyOn(host, 'exec').mockResolvedValue({ status: 1, output: '' });
  const down = host.engineDown(NEVER, 500);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await down).toEqual({ kind: 'silent' });
  const [one, other] = [host.engineDown(NEVER, 500), host.engineDown(NEVER, 8_000)];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(run).toHaveBeenCalledTimes(1);
  answered.resolve({ status: 0, stdout: '', stderr: '' });
  expect([await one, await other]).toEqual([undefined, undefined]);
  // An answer is not kept: the engine may have been stopped since.
  expect(await host.engineDown(NEVER)).toBeUndefined();
  expect(run).toHaveBeenCalledTimes(2);
});

test('whoever gives it up is answered at once', async () => {
  const engine = { run: () => new Promise(() => undefined) } as unknown as Engine;
  const stopped = new AbortController();
  const waiting = new Host(engine, SPEC, 'c1', undefined, new WakeTurns(2)).untilEngineAnswers(
    stopped.signal,
  );
  stopped.abort(new Error('the session was ended'));
  await expect(waiting).rejects.toThrow('the session was ended');
});

test('a host that comes up again sleeps on, also where it is looked at before it says so', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'quay-'));
  onTestFinished(() => rm(outside, { recursive: true }));
  const asleep = join(outside, 'asleep');
  await writeFile(asleep, '');
  const shared = { outside, inside: outside };
  const host = new Host({} as Engine, SPEC, 'c1', shared, new WakeTurns(2));
  await host.engineDown(NEVER);
  await rm(asleep);
  const looked = host.noticeWake(NEVER);
  await writeFile(asleep, '');
  await looked;
  expect(host.isAsleep).toBe(true);
});
