/**
 * `npm run dev`: for those who write labs or work on Quayside. Astro's own server shows the pages and reloads them on
 * save. The server takes up a saved `lab.ts` as it runs, and restarts when its own code changes; hosts, terminals and
 * progress outlive both. `npm run dev -- --labs ../my-labs` has the labs of that folder as well.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { readConfig } from '../server/cli/config.ts';
import { printFailure } from '../server/cli/failure.ts';
import { answerHelp } from '../server/cli/program-options.ts';
import { stopSignal } from '../server/cli/stop-signal.ts';
import { isPlace } from '../server/labs/folders.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const ASTRO = join(PROJECT, 'node_modules/astro/bin/astro.mjs');
const DEFAULT_PORT = 4321;

answerHelp(import.meta.filename);
const argv = process.argv.slice(2);
const { labs } = configOrEnd();
const port = Number(process.env.PORT) || DEFAULT_PORT;
/** The pages' own port is the one after the server's. */
const pagesPort = port + 1;
const pages = `http://127.0.0.1:${pagesPort}`;

const children = [
  spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...['server', 'lab', 'protocol'].map((path) => `--watch-path=${path}`),
      'server/main.ts',
      ...argv,
    ],
    {
      cwd: PROJECT,
      stdio: 'inherit',
      env: {
        ...process.env,
        PORT: String(port),
        QUAYSIDE_ORIGINS: `http://localhost:${pagesPort},${pages}`,
        QUAYSIDE_DEV_PAGES: pages,
      },
    },
  ),
  spawn(process.execPath, [ASTRO, 'dev', '--port', String(pagesPort)], {
    cwd: PROJECT,
    stdio: 'inherit',
    env: {
      ...process.env,
      PORT: String(port),
      ASTRO_TELEMETRY_DISABLED: '1',
      QUAYSIDE_LABS: labs.filter(isPlace).join(','),
    },
  }),
];

/** What the command line says; where that cannot be, a sentence says so, and all ends. */
function configOrEnd() {
  try {
    return readConfig(PROJECT, argv, process.env);
  } catch (error) {
    printFailure(error);
    process.exit(1);
  }
}

const stopAll = () => {
  for (const child of children) child.kill('SIGTERM');
};
// Whichever ends first ends the other.
for (const child of children) child.once('exit', stopAll);
stopSignal().addEventListener('abort', stopAll);
