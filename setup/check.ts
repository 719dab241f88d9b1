/** `npm run check`: formatter, linter, layers and types, of the code and of the pages. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { programOptions } from '../server/cli/program-options.ts';
import { layoutProblems } from './layout.ts';

const PROJECT = resolve(import.meta.dirname, '..');

const STEPS = [
  ['Biome (format and lint)', '@biomejs/biome/bin/biome', 'check', '.'],
  [
    'Layers (who imports whom)',
    'dependency-cruiser/bin/dependency-cruiser.mjs',
    ...['.', '--config', 'dependency-cruiser.config.mjs', '--output-type', 'err-long'],
  ],
  // Writes the types of the content's collections, which a new clone has not.
  ['Types of the content', 'astro/bin/astro.mjs', 'sync'],
  ['TypeScript', 'typescript/bin/tsc', '--noEmit'],
  ['Astro', '@astrojs/check/bin/astro-check.js'],
] as const;

programOptions(import.meta.filename, {});
console.log('— Files and their names');
const problems = await layoutProblems(PROJECT);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

for (const [name, program, ...args] of STEPS) {
  console.log(`— ${name}`);
  const { status } = spawnSync(
    process.execPath,
    [join(PROJECT, 'node_modules', program), ...args],
    { cwd: PROJECT, stdio: 'inherit', env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
