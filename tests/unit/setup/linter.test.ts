import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../../..');
const BIOME = join(PROJECT, 'node_modules/@biomejs/biome/bin/biome');

it('the linter refuses :has() in a style sheet, wherever it stands', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quayside-linter-'));
  const { linter } = JSON.parse(await readFile(join(PROJECT, 'biome.json'), 'utf8'));
  const files = {
    'biome.json': JSON.stringify({ root: true, linter }),
    'refused.css': `
.a:has(.b) { color: red; }
:root:not(:has(> .b)) .c { color: red; }
@media print { .a { &:has(.b) { color: red; } } }
`,
    'allowed.css': '.has:is(.a, [data-has="x"]):not(.b) { color: red; }\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { all } = await execa(process.execPath, [BIOME, 'lint', '--reporter=github', '.'], {
    cwd: folder,
    all: true,
    reject: false,
  });
  await rm(folder, { recursive: true });
  const refusals = all.matchAll(/^::error .*file=.*?([\w.]+),line=(\d+).*::(.*)$/gm);
  expect([...refusals].map(([, ...parts]) => parts.join(' '))).toEqual([
    "refused.css 2 The pseudo-class :has isn't allowed.",
    "refused.css 3 The pseudo-class :has isn't allowed.",
    "refused.css 4 The pseudo-class :has isn't allowed.",
  ]);
});
