import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERROR_STATUS } from '../../../server/base/errors.ts';

const PROJECT = join(import.meta.dirname, '../../..');

async function sources(): Promise<string> {
  const folder = join(PROJECT, 'server');
  const files = await readdir(folder, { recursive: true });
  const texts = files
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
    .map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

describe('the catalogue of errors', () => {
  test('says in docs/errors.md what it says in the code: every code, with its status', async () => {
    const text = await readFile(join(PROJECT, 'docs/errors.md'), 'utf8');
    const documented = [...text.matchAll(/^\| *`([A-Z_]+)` *\| *(\d{3}) *\|/gm)].map(
      ([, code, status]) => [code, Number(status)],
    );
    expect(Object.fromEntries(documented)).toEqual(ERROR_STATUS);
    expect(documented).toHaveLength(Object.keys(ERROR_STATUS).length);
  });

  test('has no code that nothing raises', async () => {
    const text = await sources();
    const unused = Object.keys(ERROR_STATUS).filter((code) => !text.includes(`'${code}'`));
    expect(unused).toEqual([]);
  });
});
