import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../../..');

/** The scripts of package.json that have options or words of their own, and their programs. */
const PROGRAMS = [
  ['lab:new', 'setup/lab-new.ts'],
  ['simulate', 'setup/simulate.ts'],
  ['check', 'setup/check.ts'],
  ['test', 'setup/test.ts'],
  ['doctor', 'server/cli/doctor.ts'],
  ['engine', 'server/cli/engine-command.ts'],
  ['bench:terminal', 'bench/terminal.ts'],
  ['bench:class', 'bench/class.ts'],
  ['bench:checks', 'bench/checks.ts'],
  ['bench:page', 'bench/page.ts'],
  ['test:machines', 'machines/main.ts'],
] as const;
/** Those that take what `npm start` takes, and whose command lines are read by its parser. */
const AS_START = [
  ['clean', 'server/cli/clean.ts'],
  ['dev', 'setup/dev.ts'],
] as const;

async function run(script: string, file: string, ...argv: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(PROJECT, file), ...argv],
    { cwd: PROJECT, reject: false, env: { npm_lifecycle_event: script } },
  );
  return { exitCode, stdout, stderr };
}

test.each([...PROGRAMS, ...AS_START])('npm run %s says what it is for', async (script, file) => {
  const { exitCode, stdout, stderr } = await run(script, file, '--help');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/npm (run )?(-s )?[a-z]/);
});

test.each([...PROGRAMS, ...AS_START])(
  'npm run %s refuses an option that it does not have in a sentence',
  async (script, file) => {
    const { exitCode, stderr } = await run(script, file, '--zzzzzz');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\nThere is no option --zzzzzz\.\n→ What there is: npm .*--help\n$/);
  },
);

test('an option with a slip of the finger is told with the one that was meant', async () => {
  const { stderr } = await run('simulate', 'setup/simulate.ts', '--form', '5');
  expect(stderr).toContain('There is no option --form. Did you mean --from?');
});

test('a word that the engine’s command does not know is refused', async () => {
  const { exitCode, stderr } = await run('engine', 'server/cli/engine-command.ts', 'strat');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('npm run engine does not know strat.');
});

test('an option without what has to follow it is told', async () => {
  const { stderr } = await run('simulate', 'setup/simulate.ts', '--seeds');
  expect(stderr).toMatch(/^\nOption .*--seeds.* argument missing/);
});
