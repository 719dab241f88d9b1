import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = resolve(import.meta.dirname, '../../server/base/priority.ts');
const MAY = process.getuid?.() === 0 && existsSync('/proc/self/autogroup');

/** What the kernel says before, during and after, in a session of its own, so that ours stays as it is. */
async function nicesOf(program: string, prefix: readonly string[] = []): Promise<string> {
  const argv = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e'];
  const script = `
    import { readFileSync } from 'node:fs';
    import { takePriority } from ${JSON.stringify(MODULE)};
    const nice = () => readFileSync('/proc/self/autogroup', 'utf8').split(' nice ')[1].trim();
    const seen = [];
    const look = () => seen.push(nice());
    ${program}
    console.log(seen.join(' '));`;
  const { stdout } = await run('setsid', ['--wait', ...prefix, process.execPath, ...argv, script]);
  return stdout.trim();
}

test('a class’s server goes before other work while it serves, and no longer', async () => {
  const seen = await nicesOf('look(); { using _ = takePriority(); look(); } look();');
  expect(seen).toBe(MAY ? '0 -10 0' : '0 0 0');
});

test('a second one in the same session leaves the first one’s turn to the first', async () => {
  const seen = await nicesOf(
    'const one = takePriority(); { using _ = takePriority(); look(); } look(); one[Symbol.dispose](); look();',
  );
  expect(seen).toBe(MAY ? '-10 -10 0' : '0 0 0');
});

test('without the right to it, nothing is changed and nothing fails', async () => {
  const noRight = ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice'];
  const seen = await nicesOf('look(); { using _ = takePriority(); look(); } look();', [
    ...(MAY ? noRight : []),
  ]);
  expect(seen).toBe('0 0 0');
});
