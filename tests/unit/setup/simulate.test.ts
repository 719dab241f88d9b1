import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

test.each([
  ['--seeds', 'x'],
  ['--seeds', '0'],
  ['--from', '1.5'],
  ['--seed', 'first'],
])(
  'a simulation of %s %s is refused: it would live through nothing and call that clean',
  async (option, given) => {
    const { exitCode, stderr } = await execa(
      process.execPath,
      [join(ROOT, 'setup/simulate.ts'), option, given],
      { reject: false },
    );
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringContaining(`${option} ${given} must be a whole number from 1.`),
    });
  },
);
