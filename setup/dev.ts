/**
 * `npm run dev`: for those who write labs or work on Quayside. The server restarts when its code or a `lab.ts` changes;
 * Astro's own server shows the pages and reloads them on save.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const PROJECT = resolve(import.meta.dirname, '..');
const ASTRO = join(PROJECT, 'node_modules/astro/bin/astro.mjs');

const children = [
  spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...['server', 'lab', 'protocol', 'src/content/docs/labs'].map(
        (path) => `--watch-path=${path}`,
      ),
      'server/main.ts',
    ],
    {
      cwd: PROJECT,
      stdio: 'inherit',
      env: { ...process.env, QUAYSIDE_ORIGINS: 'http://localhost:4322,http://127.0.0.1:4322' },
    },
  ),
  spawn(process.execPath, [ASTRO, 'dev', '--port', '4322'], {
    cwd: PROJECT,
    stdio: 'inherit',
    env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
  }),
];

// Whichever ends first ends the other.
for (const child of children) {
  child.once('exit', () => {
    for (const other of children) other.kill('SIGTERM');
  });
}
