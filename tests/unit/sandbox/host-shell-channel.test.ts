import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import type { ProcessLine } from '../../../server/engine/engine.ts';
import { OutputLimitError } from '../../../server/engine/output-limit.ts';
import { HostShellChannel } from '../../../server/sandbox/host-shell-channel.ts';

afterEach(() => {
  vi.useRealTimers();
});

const NEVER = new AbortController().signal;

/** A real shell on this machine in the place of one in a host. */
async function localShell(argv: readonly string[]): Promise<ProcessLine> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    stream: Duplex.from({ readable: child.stdout, writable: child.stdin }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Shells whose output a test says itself. Each is given the lines it is asked. */
function scripted(
  onLine: (line: string, shell: { say(text: string): void; mark: string }) => void,
) {
  const opened: Duplex[] = [];
  const dial = async (argv: readonly string[]): Promise<ProcessLine> => {
    const mark = argv.at(-1) ?? '';
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        done();
        onLine(chunk.toString().trim(), { say: (text) => stream.push(text), mark });
      },
    });
    opened.push(stream);
    return { stream, [Symbol.asyncDispose]: async () => void stream.destroy() };
  };
  return { dial, opened };
}

test('commands run one after the other in one shell, each with its own output and status', async () => {
  let shells = 0;
  await using channel = new HostShellChannel((argv) => {
    shells++;
    return localShell(argv);
  });
  const answers = await Promise.all([
    channel.exec(['printf', '%s', 'grüße $HOME "x"'], NEVER),
    channel.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], NEVER),
    channel.exec(['seq', '20000'], NEVER),
    channel.exec(['true'], NEVER),
  ]);
  expect(answers[0]).toEqual({ status: 0, output: 'grüße $HOME "x"' });
  expect(answers[1]).toEqual({ status: 3, output: 'out\nerr' });
  expect(answers[2].output.split('\n')).toHaveLength(20_000);
  expect(answers[3]).toEqual({ status: 0, output: '' });
  expect(shells).toBe(1);
});

test('a command that prints without end is given up at 256 KiB, and the next one runs no shell', async () => {
  let shells = 0;
  await using channel = new HostShellChannel((argv) => {
    shells++;
    return localShell(argv);
  });
  const flood = channel.exec(['yes'], NEVER);
  await expect(flood).rejects.toThrow('more than 256 KiB of output');
  await expect(channel.exec(['true'], NEVER)).rejects.toThrow(OutputLimitError);
  expect(shells).toBe(1);
});

test('after some seconds it is asked again, over a new shell', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await using channel = new HostShellChannel(localShell);
  await expect(channel.exec(['yes'], NEVER)).rejects.toThrow(OutputLimitError);
  vi.advanceTimersByTime(5_000);
  expect(await channel.exec(['echo', 'here'], NEVER)).toEqual({ status: 0, output: 'here' });
});

test('the end of an answer is found however it is cut, and what only resembles it is output', async () => {
  const { dial } = scripted((_, { say, mark }) => {
    for (const piece of `a\n${mark}0 0\nb\n${mark} 1x\n\n${mark} 12\n`) say(piece);
  });
  await using channel = new HostShellChannel(dial);
  const { status, output } = await channel.exec(['x'], NEVER);
  expect(status).toBe(12);
  expect(output).toMatch(/^a\n\w+ 0\nb\n\w+ 1x$/);
});

test('a shell that says what it was not asked is replaced', async () => {
  const { dial, opened } = scripted((line, { say, mark }) => {
    say(`${line}\n${mark} 0\n`);
    if (opened.length === 1) setImmediate(() => say(`ghost\n${mark} 0\n`));
  });
  await using channel = new HostShellChannel(dial);
  await channel.exec(['first'], NEVER);
  await new Promise((resolve) => opened[0]?.once('close', resolve));
  expect((await channel.exec(['second'], NEVER)).output).toBe("'second'");
  expect(opened).toHaveLength(2);
});

test('a command that is given up takes its shell with it, and its answer is not the next one’s', async () => {
  const asked = Promise.withResolvers<void>();
  const { dial, opened } = scripted((line, { say, mark }) => {
    if (line === "'slow'") asked.resolve();
    else say(`${line}\n${mark} 0\n`);
  });
  await using channel = new HostShellChannel(dial);
  const given = new AbortController();
  const slow = channel.exec(['slow'], given.signal);
  const next = channel.exec(['next'], NEVER);
  await asked.promise;
  given.abort(new Error('the check was given up'));
  await expect(slow).rejects.toThrow('the check was given up');
  expect((await next).output).toBe("'next'");
  expect(opened).toHaveLength(2);
});

test('one that waits hears its signal at once; the limit begins when it is put', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const lines: string[] = [];
  const { dial } = scripted((line, { say, mark }) => {
    lines.push(line);
    setTimeout(() => say(`\n${mark} 0\n`), 6_000);
  });
  await using channel = new HostShellChannel(dial);
  const given = new AbortController();
  const answers = [1, 2, 3].map((i) => channel.exec([`${i}`], NEVER));
  const waiting = channel.exec(['4'], given.signal);
  given.abort(new Error('not any more'));
  await expect(waiting).rejects.toThrow('not any more');
  await vi.advanceTimersByTimeAsync(18_000);
  for (const { status } of await Promise.all(answers)) expect(status).toBe(0);
  expect(lines).toEqual(["'1'", "'2'", "'3'"]);
});

test('a shell that takes longer than a command waits is kept, and used when it comes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { dial } = scripted((line, { say, mark }) => say(`${line}\n${mark} 0\n`));
  const slow = Promise.withResolvers<void>();
  const dialing = vi.fn(async (argv: readonly string[]) => {
    await slow.promise;
    return await dial(argv);
  });
  await using channel = new HostShellChannel(dialing);
  for (let attempt = 0; attempt < 10; attempt++) {
    const told = expect(channel.exec(['x'], NEVER)).rejects.toThrow('no answer within 20 s');
    await vi.advanceTimersByTimeAsync(20_000);
    await told;
  }
  const last = channel.exec(['last'], NEVER);
  slow.resolve();
  expect((await last).output).toBe("'last'");
  expect(dialing).toHaveBeenCalledTimes(1);
});

test('a shell whose line is there and that does not run yet is asked nothing, and kept', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { dial } = scripted((line, { say, mark }) => say(`${line}\n${mark} 0\n`));
  const started = Promise.withResolvers<void>();
  const dialing = vi.fn(async (argv: readonly string[]) => ({
    ...(await dial(argv)),
    started: started.promise,
  }));
  await using channel = new HostShellChannel(dialing);
  const told = expect(channel.exec(['x'], NEVER)).rejects.toThrow('no answer within 20 s');
  await vi.advanceTimersByTimeAsync(20_000);
  await told;
  const last = channel.exec(['last'], NEVER);
  started.resolve();
  expect((await last).output).toBe("'last'");
  expect(dialing).toHaveBeenCalledTimes(1);
});

test('a shell that cannot be had is dialed anew by the next command', async () => {
  const { dial } = scripted((line, { say, mark }) => say(`${line}\n${mark} 0\n`));
  const dialing = vi.fn(dial).mockRejectedValueOnce(new Error('no such container'));
  await using channel = new HostShellChannel(dialing);
  await expect(channel.exec(['x'], NEVER)).rejects.toThrow('no such container');
  expect((await channel.exec(['y'], NEVER)).output).toBe("'y'");
});

test('one that is closed waits for no shell, and ends one that comes late', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { dial, opened } = scripted(() => undefined);
  const slow = Promise.withResolvers<void>();
  const dialing = vi.fn(async (argv: readonly string[]) => {
    await slow.promise;
    return await dial(argv);
  });
  const channel = new HostShellChannel(dialing);
  const told = expect(channel.exec(['x'], NEVER)).rejects.toThrow('closed');
  await vi.waitFor(() => expect(dialing).toHaveBeenCalled());
  await channel[Symbol.asyncDispose]();
  await told;
  slow.resolve();
  await vi.waitFor(() => expect(opened[0]?.destroyed).toBe(true));
});

test('a line break in a word is refused, and the shell lives on', async () => {
  const { dial, opened } = scripted((line, { say, mark }) => say(`${line}\n${mark} 0\n`));
  await using channel = new HostShellChannel(dial);
  await channel.exec(['x'], NEVER);
  await expect(channel.exec(['a\nb'], NEVER)).rejects.toThrow('one line');
  await channel.exec(['x'], NEVER);
  expect(opened).toHaveLength(1);
});
