import { mkdtempDisposableSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { makeLab } from '../../../setup/lab-new.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const READER = join(import.meta.dirname, 'labs-reader.ts');
/** A Node of its own takes a second to start, and more on a busy machine. */
const OTHER_NODE_MS = 60_000;

/** Reads the labs `first` and `second` of a folder with a course of these. */
async function read(...labs: readonly string[]) {
  using folder = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'quayside-course-'));
  await makeLab('first', folder.path);
  await makeLab('second', folder.path);
  const code = `import { defineCourse } from '#lab';
export const course = defineCourse({
  title: 'C',
  parts: [{ title: 'P', labs: [
${labs.map((lab) => `    { lab: '${lab}' },\n`).join('')}  ] }],
});
`;
  writeFileSync(join(folder.path, 'course.ts'), code);
  const { stdout, stderr } = await execa(process.execPath, [READER, PROJECT, folder.path], {
    reject: false,
  });
  return { stdout, stderr };
}

describe('a folder of labs with a course', { timeout: OTHER_NODE_MS }, () => {
  it('has them in its order, and what it leaves out after them', async () => {
    const { stdout } = await read('second', 'first');
    const [...names] = Object.keys(JSON.parse(stdout));
    expect(names.slice(-3)).toEqual(['second', 'first', 'components']);
  });

  it('is told with file, line and the nearest right name where a lab is not there', async () => {
    const { stderr } = await read('first', 'secnd');
    expect(stderr).toMatch(
      /course\.ts:6: the course names the lab "secnd", which is not there\. Did you mean "second"\?/,
    );
  });

  it('is told with the second place where a lab stands twice', async () => {
    expect((await read('first', 'second', 'first')).stderr).toMatch(
      /course\.ts:7: lab "first" stands twice/,
    );
  });
});
