import {
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSite, type SiteBuilder, siteDirectory } from '../../../server/site/build.ts';

let project: string;
beforeEach(async () => {
  project = mkdtempSync(join(tmpdir(), 'quayside-site-'));
  mkdirSync(join(project, 'src'));
  await write('first');
});
afterEach(() => rmSync(project, { recursive: true }));

const write = (text: string) => writeFile(join(project, 'src', 'page.mdx'), text);

/** A build that takes no time, and what it has been asked to do. */
function builder() {
  const built: string[] = [];
  const build: SiteBuilder = async (from, directory) => {
    built.push(directory);
    await writeFile(join(directory, 'index.html'), readFileSync(join(from, 'src', 'page.mdx')));
  };
  return { build, built };
}

const silent = () => undefined;
const finished = () => readdirSync(join(project, 'dist')).filter((name) => !name.startsWith('.'));
const page = (directory: string) => readFileSync(join(directory, 'index.html'), 'utf8');

describe('the pages', () => {
  it('are built once for what is written, whenever it was written', async () => {
    const { build, built } = builder();
    using first = await ensureSite(project, silent, { build });
    await utimes(join(project, 'src', 'page.mdx'), new Date(), new Date());
    using second = await ensureSite(project, silent, { build });
    expect(built).toHaveLength(1);
    expect(second.directory).toBe(first.directory);
    expect(await siteDirectory(project)).toBe(first.directory);
    expect(page(first.directory)).toBe('first');
  });

  it('of a server that runs stay as they are when others are built, and are removed when no server uses them', async () => {
    const { build } = builder();
    const served = await ensureSite(project, silent, { build });
    await write('second');
    using next = await ensureSite(project, silent, { build });
    expect(page(served.directory)).toBe('first');
    expect(page(next.directory)).toBe('second');
    served[Symbol.dispose]();
    await write('third');
    using _last = await ensureSite(project, silent, { build });
    expect(existsSync(served.directory)).toBe(false);
    expect(finished()).toHaveLength(2);
  });

  it('to be served below a path have a build of their own, and each stays while the sources do', async () => {
    const bases: string[] = [];
    const build: SiteBuilder = async (_project, directory, basePath) => {
      bases.push(basePath);
      await writeFile(join(directory, 'index.html'), basePath);
    };
    const plain = await ensureSite(project, silent, { build });
    plain[Symbol.dispose]();
    using below = await ensureSite(project, silent, { build, basePath: '/quayside' });
    expect(page(below.directory)).toBe('/quayside');
    expect(below.directory).toBe(await siteDirectory(project, '/quayside'));
    using _again = await ensureSite(project, silent, { build });
    expect(bases).toEqual(['', '/quayside']);
    await write('second');
    below[Symbol.dispose]();
    using _next = await ensureSite(project, silent, { build });
    expect(existsSync(below.directory)).toBe(false);
  });

  it('are built anew when a lab elsewhere is written, but not for what git keeps beside it', async () => {
    using elsewhere = mkdtempDisposableSync(join(tmpdir(), 'quayside-elsewhere-'));
    const { path } = elsewhere;
    const labs = [{ name: 'web-1', path, directory: path, root: path, isOwn: false }];
    const given: unknown[] = [];
    const build: SiteBuilder = async (_project, directory, _basePath, those) => {
      given.push(those);
      await writeFile(join(directory, 'index.html'), '');
    };
    const directory = async () => {
      using site = await ensureSite(project, silent, { build, labs });
      return site.directory;
    };
    await writeFile(join(path, 'lab.ts'), 'first');
    const first = await directory();
    expect(given).toEqual([labs]);
    expect(first).not.toBe(await siteDirectory(project));
    mkdirSync(join(path, '.git'));
    await writeFile(join(path, '.git', 'HEAD'), 'a commit');
    expect(await directory()).toBe(first);
    await writeFile(join(path, 'course.ts'), 'a course');
    expect(await directory()).not.toBe(first);
  });

  it('of a server that runs stay as they are when a build fails half-way', async () => {
    const { build } = builder();
    using served = await ensureSite(project, silent, { build });
    await write('second');
    const failing = ensureSite(project, silent, {
      build: async (from, directory) => {
        await build(from, directory, '', []);
        throw new Error('half-way');
      },
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(page(served.directory)).toBe('first');
    expect(existsSync(await siteDirectory(project))).toBe(false);
    using next = await ensureSite(project, silent, { build });
    expect(page(next.directory)).toBe('second');
  });

  it('are built by one start at a time; the other waits, says so, and takes what that one has built', async () => {
    await using other = await otherStart();
    const { build, built } = builder();
    const said: string[] = [];
    const waiting = Promise.withResolvers<void>();
    const mine = ensureSite(
      project,
      (line) => {
        said.push(line);
        waiting.resolve();
      },
      { build },
    );
    await waiting.promise;
    expect(said).toEqual([`Waiting for process ${other.pid}, which builds the pages …`]);
    other.goOn();
    using site = await mine;
    expect(built).toEqual([]);
    expect(page(site.directory)).toBe('theirs');
  });

  it('are waited for by a start that has nothing else to do', async () => {
    await using first = await otherStart();
    await using second = await otherStart(
      `Waiting for process ${first.pid}, which builds the pages …`,
    );
    first.goOn();
    expect(await second.says()).toBe(await first.says());
  });

  it('are built by the next start when the one that builds is killed', async () => {
    const { build } = builder();
    {
      await using _other = await otherStart();
    }
    using site = await ensureSite(project, silent, { build });
    expect(page(site.directory)).toBe('first');
  });

  it('of another process that runs stay until it is gone', async () => {
    const { build } = builder();
    let theirs: string;
    {
      await using other = await otherStart();
      other.goOn();
      theirs = await other.says();
      await write('second');
      using _mine = await ensureSite(project, silent, { build });
      expect(page(theirs)).toBe('theirs');
    }
    using _again = await ensureSite(project, silent, { build });
    expect(existsSync(theirs)).toBe(false);
  });
});

/** Another process, once it says what it does first. It is killed when disposed of. */
async function otherStart(saysFirst = 'Building the pages …') {
  const child = execa(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'build-waiter.ts'),
      project,
    ],
    { stdin: 'pipe', reject: false },
  );
  const lines = child.iterable();
  const says = async () => String((await lines.next()).value);
  expect(await says()).toBe(saysFirst);
  return {
    pid: child.pid,
    says,
    goOn: () => child.stdin.write('on\n'),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}
