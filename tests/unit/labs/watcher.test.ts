import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempDisposableSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LABS_DIRECTORY } from '../../../server/labs/folders.ts';

const KIT = pathToFileURL(join(import.meta.dirname, '../../../lab/index.ts')).href;
const READER = join(import.meta.dirname, 'watcher-reader.ts');

/** A Node of its own takes a second to start, and more on a busy machine. */
const OTHER_NODE_MS = 60_000;

/** A `lab.ts` whose title stands in a file beside it. */
const CODE = `import { defineLab } from '${KIT}';
import { title } from './checks/title.ts';
export const lab = defineLab({
  title,
  hosts: { one: { address: '10.1.10.11/24' } },
  browser: 'one',
  sections: [],
});
`;

/** A project with one lab that is being written, and a reader that says what came of each save. */
async function desk() {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-live-'));
  const save = (name: string, text: string) => {
    const file = join(folder.path, LABS_DIRECTORY, 'mine', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  save('checks/title.ts', "export const title = 'first';\n");
  save('lab.ts', CODE);
  const reader = spawn(process.execPath, [READER, folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done || pattern.test(value)) return value ?? 'ended';
    }
  };
  await said(/^watching/);
  return {
    /** Settles with the line that says what is awaited; a save may be read in more than one go. */
    said,
    /** Writes a file beside it, and puts that in its place. */
    replace: (name: string, text: string): void => {
      save(`${name}.new`, text);
      const file = join(folder.path, LABS_DIRECTORY, 'mine', name);
      renameSync(`${file}.new`, file);
    },
    /** Makes another lab of the same files. */
    add: (name: string): void => {
      const labs = join(folder.path, LABS_DIRECTORY);
      cpSync(join(labs, 'mine'), join(labs, name), { recursive: true });
    },
    saved: async (name: string, text: string, awaited: RegExp): Promise<string> => {
      save(name, text);
      return await said(awaited);
    },
    [Symbol.dispose]() {
      reader.kill();
      folder[Symbol.dispose]();
    },
  };
}

describe('a lab that is being written', { timeout: OTHER_NODE_MS }, () => {
  it('is read again when its lab.ts is saved, and when a file that it imports is', async () => {
    using author = await desk();
    const first = await author.saved('lab.ts', `${CODE}\n`, /^read/);
    expect(first).toBe('read: first');
    const title = "export const title = 'second';\n";
    expect(await author.saved('checks/title.ts', title, /second/)).toBe('read: second');
  });

  it('is read again when a part that lies beside the labs is saved, and what is wrong there is told', async () => {
    using author = await desk();
    const part = '../title.ts';
    const shared = CODE.replace('./checks/title.ts', part);
    await author.saved(part, "export const title = 'shared';\n", /^read/);
    expect(await author.saved('lab.ts', shared, /shared/)).toBe('read: shared');
    const broken = await author.saved(part, 'export const title = nowhere;\n', /^broken/);
    expect(broken).toMatch(/labs\/title\.ts:1: nowhere is not defined/);
    const mended = await author.saved(part, "export const title = 'mended';\n", /^read/);
    expect(mended).toBe('read: mended');
  });

  it('is read again each time a file is put in its place, as git and some editors save', async () => {
    using author = await desk();
    for (const title of ['second', 'third', 'fourth']) {
      author.replace('checks/title.ts', `export const title = '${title}';\n`);
      expect(await author.said(/^read/)).toBe(`read: ${title}`);
    }
    expect(await author.saved('lab.ts', `${CODE}\n`, /^read/)).toBe('read: fourth');
  });

  it('is read when it is new, with folders of its own', async () => {
    using author = await desk();
    author.add('theirs');
    expect(await author.said(/^read/)).toBe('read: first');
  });

  it('says what is wrong with it and where, and is read again once that is mended', async () => {
    using author = await desk();
    const wrong = CODE.replace("browser: 'one'", "browser: 'two'");
    expect(await author.saved('lab.ts', wrong, /^broken/)).toMatch(
      /mine\/lab\.ts:6: browser: \\"two\\" is no host/,
    );
    const unfinished = 'export const title = ';
    expect(
      await author.saved('checks/title.ts', unfinished, /Expression|expected|Unexpected/),
    ).toMatch(/^broken: .*The lab mine cannot run/);
    await author.saved('checks/title.ts', "export const title = 'third';\n", /^broken.*two/);
    expect(await author.saved('lab.ts', CODE, /^read/)).toBe('read: third');
  });

  it('says what is wrong with a page of it, and is read again once that is mended', async () => {
    using author = await desk();
    const page = '---\ntitle: Here\n---\n\n';
    expect(await author.saved('index.mdx', `${page}Set {x}.\n`, /^broken/)).toMatch(
      /The lab mine cannot run:.*mine\/index\.mdx:5:6: {x} is code/,
    );
    expect(await author.saved('index.mdx', `${page}Set x.\n`, /^read/)).toBe('read: first');
  });

  it('is put into the order of a course, whenever that is saved, and stays in it where that is wrong', async () => {
    using author = await desk();
    author.add('theirs');
    await author.said(/^read/);
    const course = (...labs: readonly string[]) => `import { defineCourse } from '${KIT}';
export const course = defineCourse({ title: 'C', parts: [{ title: 'P', labs: [
${labs.map((lab) => `  { lab: '${lab}' },\n`).join('')}] }] });\n`;
    author.replace('../course.ts', course('theirs', 'mine'));
    expect(await author.said(/^order/)).toBe('order: theirs mine');
    author.replace('../course.ts', course('theirs', 'min'));
    expect(await author.said(/course/)).toMatch(/^broken course: .*course\.ts:4: .*Did you mean/);
    author.replace('../course.ts', course('mine', 'theirs'));
    expect(await author.said(/^order/)).toBe('order: mine theirs');
  });

  it('is told of once, as it was saved last, where an earlier save takes longer to read', async () => {
    using author = await desk();
    const slow = `console.log('reading'); await new Promise((read) => setTimeout(read, 1_000));
export const title = 'slow';\n`;
    await author.saved('checks/title.ts', slow, /^reading/);
    await author.saved('checks/title.ts', "export const title = 'quick';\n", /quick/);
    // Long enough that the slow read has ended when this one is told.
    const last = slow.replace("'slow'", "'last'");
    expect(await author.saved('checks/title.ts', last, /^read:/)).toBe('read: last');
  });
});
