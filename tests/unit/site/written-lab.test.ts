import { mkdtempDisposableSync, realpathSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writtenLab } from '../../../src/site/written-lab.ts';

const KIT = join(import.meta.dirname, '../../../lab/index.ts');

test('the lab of a page is the one that is saved, and one that is wrong is told until it is mended', async () => {
  using folder = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'quayside-written-'));
  let saves = 0;
  const save = (browser: string) => {
    const file = join(folder.path, 'lab.ts');
    const code = `import { defineLab } from '${KIT}';
export const lab = defineLab({
  title: 'T',
  hosts: { ${browser.slice(0, 3)}: { address: '10.1.10.11/24' } },
  browser: '${browser}',
  sections: [],
});
`;
    writeFileSync(file, code);
    saves += 1;
    utimesSync(file, saves, saves);
  };
  save('one');
  expect((await writtenLab(folder.path)).browser).toBe('one');
  expect(await writtenLab(folder.path)).toBe(await writtenLab(folder.path));
  save('two!');
  await expect(writtenLab(folder.path)).rejects.toThrow(/lab\.ts:5: browser: "two!" is no host/);
  save('two');
  expect((await writtenLab(folder.path)).browser).toBe('two');
});
