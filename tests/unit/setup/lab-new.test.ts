import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { labProblems } from '../../../server/labs/lab-problems.ts';
import { makeLab } from '../../../setup/lab-new.ts';
import { lab as template } from '../../../setup/new-lab/lab.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const TSC = join(PROJECT, 'node_modules/typescript/bin/tsc');
const READER = join(PROJECT, 'tests/unit/labs/labs-reader.ts');
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'quayside-labs-'));

describe('npm run lab:new', () => {
  it('makes a lab with nothing wrong in it, under its own title', async () => {
    using labs = folder();
    const made = await makeLab('my-first-lab', labs.path);
    expect(made).toBe(join(labs.path, 'my-first-lab'));
    expect(labProblems(made, template, PROJECT)).toEqual([]);
    for (const file of ['lab.ts', 'index.mdx']) {
      const text = readFileSync(join(made, file), 'utf8');
      expect(text).toContain('My first lab');
      expect(text).not.toContain('My new lab');
    }
  });

  it('makes one outside the project that the server reads and an editor knows, with nothing copied', async () => {
    using labs = folder();
    const made = await makeLab('elsewhere', labs.path);
    expect(readdirSync(labs.path).sort()).toEqual(['.gitignore', 'elsewhere', 'tsconfig.json']);
    const read = await execa(process.execPath, [READER, PROJECT, labs.path]);
    expect(JSON.parse(read.stdout)).toMatchObject({ elsewhere: { title: 'Elsewhere', steps: 2 } });
    const wrong = `import { defineLab } from '#lab';\nexport const lab = defineLab({ titel: 'T' });\n`;
    writeFileSync(join(made, 'wrong.ts'), wrong);
    const typed = await execa(process.execPath, [TSC, '--noEmit', '-p', labs.path], {
      reject: false,
    });
    const [first, ...others] = typed.stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(first).toMatch(/elsewhere\/wrong\.ts\(2,\d+\): .*'titel' does not exist/);
    expect(others).toEqual([]);
  }, 60_000);

  it.each(['tsconfig.json', '.gitignore'])(
    'leaves a %s alone that is there already',
    async (name) => {
      using labs = folder();
      writeFileSync(join(labs.path, name), '{}');
      await makeLab('elsewhere', labs.path);
      expect(readFileSync(join(labs.path, name), 'utf8')).toBe('{}');
    },
  );

  it('gives it one of everything that a lab can have', () => {
    const { checks, values, hosts } = template;
    expect(checks.some(({ question }) => question !== undefined)).toBe(true);
    expect(
      checks.some(
        ({ mistakes = [], alternatives = [] }) => mistakes.length * alternatives.length > 0,
      ),
    ).toBe(true);
    expect(Object.keys(values)).toHaveLength(1);
    expect(hosts.map(({ hasEngine }) => hasEngine)).toEqual([true, false]);
    expect(readFileSync(join(PROJECT, 'setup/new-lab/first-steps.mdx'), 'utf8')).toContain(
      '<Hint>',
    );
  });

  it.each(['My Lab', 'my_lab', '1st', 'lab-', '../lab', 'a--b', '', 'x'.repeat(41)])(
    'refuses the name %j, and proposes a better one',
    async (name) => {
      using labs = folder();
      await expect(makeLab(name, labs.path)).rejects.toMatchObject({
        message: expect.stringContaining('cannot be the name of a lab'),
        remedy: expect.stringMatching(/npm run lab:new [a-z][a-z0-9-]*$/),
      });
    },
  );

  it('refuses a name that is taken, and leaves that lab alone', async () => {
    using labs = folder();
    const made = await makeLab('twice', labs.path);
    const before = readFileSync(join(made, 'lab.ts'), 'utf8');
    await expect(makeLab('twice', labs.path)).rejects.toThrow(/already/);
    expect(readFileSync(join(made, 'lab.ts'), 'utf8')).toBe(before);
  });

  it('asks for a name where there is none', async () => {
    await expect(makeLab(undefined)).rejects.toThrow(/needs a name/);
  });
});
