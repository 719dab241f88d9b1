import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CouldNotCheck } from '#lab';
import {
  FOLDER_ENTRIES,
  HostFiles,
  type HostFilesOptions,
  TEXT_BYTES,
  TRANSFER_BYTES,
} from '../../../server/files/host-files.ts';
import { WRITE_SCRIPT } from '../../../server/files/scripts.ts';

type Dial = HostFilesOptions['host']['dial'];

/** Root may read and write everything, so the learner of these tests is somebody else. */
const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;
const WHO = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
/** A group that the learner is in besides their own, and one that they are not in. */
const TEAM = 61_000;
const OTHERS = 61_001;
/** The same learner with both of their groups. */
const AS_LEARNER = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, `--groups=${TEAM}`];
const NEVER = new AbortController().signal;

/** Runs what is asked of the host on this machine. */
const here: Dial = async (argv, { signal } = {}) => {
  const [program = '', ...args] = [...(IS_ROOT ? AS_LEARNER : []), ...argv];
  const child = spawn(program, args, { signal });
  child.on('error', () => undefined);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  let broken: Error | undefined;
  child.stdin.on('error', (error) => {
    broken = error;
  });
  const exited = once(child, 'close').then(([status]) => {
    // An engine's stream breaks as well for whoever sends on to a process that has gone.
    if (broken) throw broken;
    return Number(status);
  });
  return {
    stream: Duplex.from({ readable: child.stdout, writable: child.stdin }),
    stderr: () => said,
    exited,
    [Symbol.asyncDispose]: async () => void child.kill(),
  };
};

function filesWith(dial: Dial, availability: AbortSignal = NEVER) {
  const saved: string[] = [];
  const host = { name: 'server01', availability, dial };
  const files = new HostFiles({ host, signal: NEVER, onChanged: (path) => void saved.push(path) });
  return { files, saved };
}

/** A home of the learner's. */
function home() {
  const path = mkdtempSync(join(tmpdir(), 'quayside-files-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const own = (each: string) => IS_ROOT && chownSync(each, NOBODY, NOBODY);
  own(path);
  return {
    at: (name: string) => join(path, name),
    put(name: string, content: string | Buffer, mode = 0o644): string {
      writeFileSync(join(path, name), content);
      chmodSync(join(path, name), mode);
      own(join(path, name));
      return join(path, name);
    },
    ...filesWith(here),
    path,
  };
}

describe('a folder', () => {
  test('is listed with its folders first, whatever the names are made of', async () => {
    const { path, put, files } = home();
    const names = ['-rf', ' ', 'a\nb', '$(touch x)', 'é', "quo'te"];
    for (const name of names) put(name, 'four');
    mkdirSync(join(path, 'web'));
    symlinkSync('/nowhere', join(path, 'dead'));
    const { entries, complete } = await files.list(path);
    expect(complete).toBe(true);
    expect(entries[0]).toMatchObject({ name: 'web', kind: 'folder' });
    expect(entries.find(({ name }) => name === 'dead')?.kind).toBe('other');
    const rest = entries.filter(({ kind }) => kind === 'file');
    expect(rest).toEqual(names.toSorted().map((name) => ({ name, kind: 'file', bytes: 4 })));
  });

  test('says that a name that is no text is not listed', async () => {
    const { path, files } = home();
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0x41])]), '');
    expect(await files.list(path)).toMatchObject({ entries: [], complete: false });
  });

  test('without an end is listed to its maximum', async () => {
    const records = Buffer.from('f 1 name\0'.repeat(2 * FOLDER_ENTRIES));
    const { files } = filesWith(answering(records));
    const { entries, complete } = await files.list('/endless');
    expect([entries.length, complete]).toEqual([FOLDER_ENTRIES, false]);
  });

  test('that is none, or a file, is told so', async () => {
    const { at, put, files } = home();
    await expect(files.list(at('none'))).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    await expect(files.list(put('file', ''))).rejects.toMatchObject({
      code: 'FILE_REFUSED',
      message: expect.stringContaining('is not a folder'),
    });
  });
});

describe('a file', () => {
  test.each(['two\nlines\n', '\uFEFFmark\r\n', '', 'no end'])(
    'is read as it is: %j',
    async (text) => {
      const { put, files } = home();
      const read = await files.read(put('file', text));
      expect(read).toMatchObject({ text, writable: true });
    },
  );

  test.each([
    ['of bytes', Buffer.from([0, 1, 2]), 'FILE_NOT_TEXT', 'UTF-8'],
    ['in another encoding', Buffer.from([0xe9, 0x0a]), 'FILE_NOT_TEXT', 'UTF-8'],
    ['too large', Buffer.alloc(TEXT_BYTES + 1, 'a'), 'FILE_TOO_LARGE', 'at most 512 KiB'],
  ])('%s is not edited', async (_, content, code, words) => {
    const { put, files } = home();
    await expect(files.read(put('file', content))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  test('that is a folder, a pipe or somebody else’s is refused, and a pipe holds nobody up', async () => {
    const { path, at, put, files } = home();
    await expect(files.read(path)).rejects.toThrow('is a folder');
    const [made] = await once(spawn('mkfifo', [at('pipe')]), 'close');
    expect(made).toBe(0);
    await expect(files.read(at('pipe'))).rejects.toThrow('neither a file nor a folder');
    await expect(files.read(put('secret', 'x', 0o000))).rejects.toThrow('may not be used so');
  });

  test('is downloaded byte by byte, to a size that is named', async () => {
    const { put, files } = home();
    const bytes = Buffer.from([0, 255, 10]);
    expect(await files.download(put('small', bytes))).toEqual(bytes);
    const large = put('large', Buffer.alloc(TRANSFER_BYTES + 1));
    await expect(files.download(large)).rejects.toThrow(/has 2.1 MiB.*at most 2 MiB/);
  });
});

describe('to save', () => {
  test('keeps a file’s mode, leaves nothing beside it, and tells of it', async () => {
    const { path, put, files, saved } = home();
    const file = put('run.sh', 'old', 0o755);
    const { version } = await files.read(file);
    const answer = await files.write(file, Buffer.from('new'), version);
    expect(answer).toMatchObject({ state: 'saved' });
    expect(await files.read(file)).toMatchObject({ text: 'new', version: answer.version });
    expect(statSync(file).mode & 0o777).toBe(0o755);
    expect(readdirSync(path)).toEqual(['run.sh']);
    expect(saved).toEqual([file]);
  });

  test.runIf(IS_ROOT).each([
    ['that they are in', TEAM],
    ['that they are not in', OTHERS],
  ])('keeps a group %s, and what that may do', async (_, group) => {
    const { path, put, files } = home();
    const file = put('plan', 'old');
    chownSync(file, NOBODY, group);
    chmodSync(file, 0o660);
    const { version } = await files.read(file);
    await files.write(file, Buffer.from('new'), version);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file)).toMatchObject({ uid: NOBODY, gid: group });
    expect(statSync(file).mode & 0o777).toBe(0o660);
    expect(readdirSync(path)).toEqual(['plan']);
  });

  test('writes the same file under each of its names', async () => {
    const { path, at, put, files } = home();
    const file = put('one', 'old');
    linkSync(file, at('other'));
    const { version } = await files.read(file);
    await files.write(file, Buffer.from('new'), version);
    expect(readFileSync(at('other'), 'utf8')).toBe('new');
    expect(readdirSync(path).toSorted()).toEqual(['one', 'other']);
  });

  test('leaves nothing beside a file where it is ended before all has come', async () => {
    const { path, at } = home();
    const argv = ['timeout', '30', 'sh', '-c', WRITE_SCRIPT, 'x', at('new'), 'none', '9', '9'];
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { ...WHO, stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(child, 'close');
    child.stdin.write('half');
    const begun = () => readdirSync(path).map((name) => statSync(at(name)).size);
    await expect.poll(begun, { timeout: 10_000 }).toEqual([4]);
    child.kill('SIGTERM');
    await ended;
    expect(readdirSync(path)).toEqual([]);
  });

  test('makes a new file and the folders above it, readable to all', async () => {
    const { at, files } = home();
    expect(await files.read(at('web/Dockerfile'))).toMatchObject({ text: '', version: 'none' });
    await files.write(at('web/Dockerfile'), Buffer.from('FROM scratch\n'), 'none');
    expect(readFileSync(at('web/Dockerfile'), 'utf8')).toBe('FROM scratch\n');
    expect(statSync(at('web/Dockerfile')).mode & 0o444).toBe(0o444);
  });

  test('changes nothing where the file has changed meanwhile, and answers what there is', async () => {
    const { put, files, saved } = home();
    const { version } = await files.read(put('file', 'as read'));
    const path = put('file', 'as on the host');
    expect(await files.write(path, Buffer.from('mine'), version)).toMatchObject({
      state: 'changed',
      text: 'as on the host',
    });
    expect(await files.write(path, Buffer.from('mine'), 'none')).toMatchObject({
      state: 'changed',
    });
    rmSync(path);
    expect(await files.write(path, Buffer.from('mine'), version)).toEqual({
      state: 'changed',
      version: 'none',
    });
    expect(saved).toEqual([]);
  });

  test('of two windows, the second is told what the first has saved', async () => {
    const { put, files } = home();
    const path = put('file', 'old');
    const { version } = await files.read(path);
    const write = (text: string) => files.write(path, Buffer.from(text), version);
    const answers = await Promise.all([write('one'), write('two')]);
    expect(answers).toMatchObject([{ state: 'saved' }, { state: 'changed', text: 'one' }]);
  });

  test('writes what a symbolic link leads to, and the link stays', async () => {
    const { at, put, files } = home();
    put('real', 'old');
    symlinkSync('real', at('link'));
    const { version } = await files.read(at('link'));
    await files.write(at('link'), Buffer.from('new'), version);
    expect(readFileSync(at('real'), 'utf8')).toBe('new');
    expect(readdirSync(at('.')).toSorted()).toEqual(['link', 'real']);
  });

  test('is refused where the learner may not write, whether it is there or not', async () => {
    const { at, put, files } = home();
    const path = put('read-only', 'x', 0o444);
    const { version, writable } = await files.read(path);
    expect(writable).toBe(false);
    await expect(files.write(path, Buffer.from('y'), version)).rejects.toThrow(
      'may not be used so',
    );
    mkdirSync(at('closed'));
    chmodSync(at('closed'), 0o555);
    for (const name of ['closed/new', 'closed/deep/new']) {
      await expect(files.write(at(name), Buffer.from('y'), 'none')).rejects.toThrow(
        'may not be used so',
      );
    }
  });

  test('of much is refused for the same reason as of little', async () => {
    const { path, at, put, files } = home();
    const much = Buffer.alloc(TRANSFER_BYTES, 'a');
    mkdirSync(at('closed'));
    chmodSync(at('closed'), 0o555);
    for (const name of [put('read-only', 'x', 0o444), at('closed/new'), at('closed/deep/new')]) {
      await expect(files.write(name, much, 'none')).rejects.toThrow('may not be used so');
    }
    await expect(files.write(path, much, 'none')).rejects.toThrow('is a folder');
  });

  test('takes a name to the letter', async () => {
    const { at, files } = home();
    const names = ['$(touch pwned)', '`id`', '-n', "it's", 'end\n'];
    for (const name of names) await files.write(at(name), Buffer.from(name), 'none');
    expect(readdirSync(at('.')).toSorted()).toEqual(names.toSorted());
  });
});

/** A host that answers so to everything. */
function answering(...pieces: readonly Buffer[]): Dial {
  return async () => {
    const stream = new PassThrough();
    stream.resume();
    const out = Duplex.from({
      readable: (async function* () {
        yield* pieces;
      })(),
      writable: stream,
    });
    return {
      stream: out,
      stderr: () => '',
      exited: Promise.resolve(0),
      [Symbol.asyncDispose]: async () => void out.destroy(),
    };
  };
}

describe('another path', () => {
  test('is given to a file, and to a folder with all that is in it', async () => {
    const { put, at, path, files, saved } = home();
    put('-a b', 'x');
    await files.move(at('-a b'), at("it's"));
    expect(readFileSync(at("it's"), 'utf8')).toBe('x');
    await files.write(at('web/one'), Buffer.from('1'), 'none');
    await files.move(at('web'), at('site'));
    expect(readdirSync(path).sort()).toEqual(["it's", 'site']);
    expect(readFileSync(at('site/one'), 'utf8')).toBe('1');
    expect(saved.slice(0, 2).sort()).toEqual([at('-a b'), at("it's")]);
  });

  test.each([
    ['a file', (at: string) => writeFileSync(at, 'theirs')],
    ['a folder', (at: string) => mkdirSync(at)],
    ['a link to nothing', (at: string) => symlinkSync('/nowhere', at)],
  ])('that %s has already is refused, and both stay', async (_, make) => {
    const { put, at, path, files, saved } = home();
    put('mine', 'x');
    make(at('taken'));
    await expect(files.move(at('mine'), at('taken'))).rejects.toMatchObject({
      code: 'FILE_REFUSED',
      message: `${at('taken')} is there already.`,
    });
    expect(readdirSync(path).sort()).toEqual(['mine', 'taken']);
    expect(saved).toEqual([]);
  });

  test('is refused where the learner may write nothing, where nothing is, and within itself', async () => {
    const { put, at, files } = home();
    put('mine', 'x');
    await expect(files.move(at('mine'), '/etc/mine')).rejects.toMatchObject({
      message: expect.stringContaining('may not be used so by learner'),
    });
    await expect(files.move(at('gone'), at('new'))).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    await files.write(at('web/one'), Buffer.from('1'), 'none');
    await expect(files.move(at('web'), at('web/two'))).rejects.toMatchObject({
      code: 'FILE_REFUSED',
    });
    expect(readFileSync(at('web/one'), 'utf8')).toBe('1');
  });
});

describe('what is removed', () => {
  test('is a file, a folder with all that is in it, or a link and not what it leads to', async () => {
    const { put, at, path, files, saved } = home();
    put('kept', 'x');
    put('-rf', 'x');
    symlinkSync(at('kept'), at('link'));
    await files.write(at('web/one/two'), Buffer.from('1'), 'none');
    for (const name of ['-rf', 'link', 'web']) await files.remove(at(name));
    expect(readdirSync(path)).toEqual(['kept']);
    expect(saved.slice(1)).toEqual(['-rf', 'link', 'web'].map((name) => at(name)));
  });

  test('is neither the home nor what the learner may not remove', async () => {
    const { at, files } = home();
    await expect(files.remove('~')).rejects.toMatchObject({
      message: '/home/learner is where your files and terminals are.',
    });
    for (const path of ['/', '/etc', '/etc/hosts']) {
      await expect(files.remove(path)).rejects.toMatchObject({ code: 'FILE_REFUSED' });
    }
    await expect(files.remove(at('gone'))).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
  });
});

describe('a host', () => {
  test.each([
    ['sends more than a file can have', Buffer.alloc(4 * 1024 ** 2)],
    ['answers what is no file', Buffer.from('hello')],
    ['names a size that is none', Buffer.from('99999999999999999 w\n')],
  ])('that %s is not believed', async (_, bytes) => {
    const { files } = filesWith(answering(bytes));
    await expect(files.read('x')).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  });

  test('that is paused is not asked', async () => {
    const paused = AbortSignal.abort(new CouldNotCheck('server01 is paused.'));
    const { files } = filesWith(async () => expect.unreachable(), paused);
    await expect(files.read('x')).rejects.toMatchObject({
      code: 'SESSION_NOT_READY',
      message: 'server01 is paused.',
    });
  });
});

test('a path begins at home unless it says otherwise', async () => {
  const asked: unknown[] = [];
  const { files } = filesWith(async (argv) => {
    asked.push(argv[8]);
    throw new Error('not asked further');
  });
  for (const path of ['web/x', '~/x', '~', '/etc/../etc/hosts', '~x']) {
    await expect(files.read(path)).rejects.toThrow();
  }
  expect(asked).toEqual([
    '/home/learner/web/x',
    '/home/learner/x',
    '/home/learner',
    '/etc/hosts',
    '/home/learner/~x',
  ]);
});

test.each(['write', 'read'] as const)(
  'of many that %s at once without waiting, a few have their turn and the others are refused',
  async (what) => {
    const { files, put, at } = home();
    put('x', 'x');
    const ask = (number: number) =>
      what === 'read'
        ? files.read(at('x'))
        : files.write(at(`new-${number}`), Buffer.from('y'), 'none');
    const all = await Promise.allSettled(Array.from({ length: 40 }, (_, number) => ask(number)));
    const refused = all.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(20);
    expect(refused.length).toBeLessThan(40);
    for (const each of refused) expect(each).toMatchObject({ reason: { code: 'TOO_MANY' } });
    await expect(ask(40)).resolves.toBeDefined();
  },
);
