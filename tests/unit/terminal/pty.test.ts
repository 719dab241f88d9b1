import { execFileSync } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StreamItem } from '../../../server/terminal/control-scanner.ts';
import { attachByExec, ExecRefused } from '../../../server/terminal/exec-transport.ts';
import { Pty } from '../../../server/terminal/pty.ts';

const SIZE = { cols: 80, rows: 24 };
const NEVER = new AbortController().signal;
const command = (file: string, ...args: string[]) => ({ file, args, env: {} });
const script = (text: string) => command('sh', '-c', text);

/** The small shell around the command: the one child of ours that has the id in its environment is its parent. */
function holderOf(text: string): number {
  const [line = ''] = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((each) => each.includes('quayside-pty') && each.includes(text));
  return Number.parseInt(line, 10);
}

test('a resize between the end of its process and the news of it does nothing', async () => {
  const ended = Promise.withResolvers<void>();
  using pty = new Pty('t-resize', command('sleep', '86431'), SIZE, {
    item: (item) => {
      if (item.kind === 'note') ended.resolve();
    },
    drained: () => undefined,
  });
  await expect.poll(() => holderOf('86431')).toBeGreaterThan(0);
  process.kill(-holderOf('86431'), 'SIGKILL');
  let isOver = false;
  void ended.promise.then(() => {
    isOver = true;
  });
  for (let cols = 80; !isOver; cols = cols === 80 ? 81 : 80) {
    pty.resize({ cols, rows: 24 });
    await turn();
  }
  pty.resize(SIZE);
});

test('what a program does not read waits in few pieces, and arrives when it does', async () => {
  let output = '';
  using pty = new Pty(
    't-late',
    script('stty raw -echo; echo ready; sleep 0.2; head -c 20000 | tail -c 5'),
    SIZE,
    {
      item: (item: StreamItem) => {
        if (item.kind === 'output') output += item.bytes.toString();
      },
      drained: () => undefined,
    },
  );
  await expect.poll(() => output).toContain('ready');
  const text = `${'x'.repeat(19_995)}12345`;
  for (const letter of text) pty.write(Buffer.from(letter));
  await expect.poll(() => output).toContain('12345');
  expect(pty.queued).toBe(0);
});

const connect = (text: string, heard: string[] = []) =>
  attachByExec(
    't',
    script(text),
    SIZE,
    {
      item: (item) => heard.push(item.kind === 'output' ? item.bytes.toString() : item.note),
      drained: () => undefined,
    },
    NEVER,
  );

test('what is printed before dtach’s greeting is not shown; what follows is, to the byte', async () => {
  const heard: string[] = [];
  using _ = await connect("printf 'a warning\\n\\033[H\\033[Jhello'; sleep 86432", heard);
  await expect.poll(() => heard.join('')).toBe('hello');
});

test('a command that ends in place of connecting says why', async () => {
  await expect(connect('echo no such container; exit 1')).rejects.toThrow(/no such container/);
});

test('a command that prints without end in place of connecting is ended', async () => {
  await expect(connect('exec yes not-dtach-86433')).rejects.toThrow(ExecRefused);
  await expect.poll(() => holderOf('not-dtach-86433')).toBeNaN();
});

test('whoever waits for the connection can break off', async () => {
  const stop = new AbortController();
  const listener = { item: () => undefined, drained: () => undefined };
  const attached = attachByExec('t', command('sleep', '86434'), SIZE, listener, stop.signal);
  stop.abort(new Error('too late'));
  await expect(attached).rejects.toThrow('too late');
  await expect.poll(() => holderOf('86434')).toBeNaN();
});

test('a pty that is disposed as soon as it is made leaves no process', async () => {
  const listener = { item: () => undefined, drained: () => undefined };
  for (let made = 0; made < 20; made++) {
    new Pty('t-gone', command('sleep', '86435'), SIZE, listener)[Symbol.dispose]();
  }
  // Whatever was left would have become a `sleep` by the time that this one ends.
  const last = Promise.withResolvers<void>();
  using _ = new Pty('t-last', command('true'), SIZE, {
    item: (item) => (item.kind === 'note' ? last.resolve() : undefined),
    drained: () => undefined,
  });
  await last.promise;
  await expect.poll(() => holderOf('86435')).toBeNaN();
});
