// The first thing that `npm start` and `npm test` run, with whatever Node the machine has (20 or newer): installs the
// project's packages where they are missing or old, then runs the given program with the project's own Node. What only
// developers need is installed when one of their programs is run, and kept from then on.
//
//   node setup/run.mjs server/main.ts [arguments …]
//
// The scripts of package.json begin with `exec`, so that this process takes the place of npm's shell: npm passes a signal
// to that shell only, and a shell that waits for a command dies of it without the command.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFresh } from './early.mjs';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const ownNode = join(project, 'node_modules', '.bin', 'node');
const installed = join(project, 'node_modules', '.package-lock.json');
const wanted = join(project, 'package-lock.json');
/**
 * Half of what Node sets aside for new objects (MiB). Loading fills all that it may have, 2 × 16 MiB if not told
 * otherwise. With 4 or more, bulk output takes 1.3 times the processor's time: it no longer stays in the caches.
 */
const NEW_SPACE_MIB = 2;
/** The C library's heaps: not one for each of Node's threads, which keep what loading took from them (4 MiB). */
const ARENAS = '1';

const [program = '', ...programArguments] = process.argv.slice(2);
/** Those that run with what a learner's machine has. */
const ofUsers = /^(server|lab-test)\//;

/** Whether what only developers need is there. */
function hasDevelopmentPackages() {
  const { devDependencies = {} } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const names = Object.keys(devDependencies);
  return names.every((name) => existsSync(join(project, 'node_modules', name)));
}

const isForDevelopers = hasDevelopmentPackages() || !ofUsers.test(program);

function isUpToDate() {
  return (
    existsSync(ownNode) &&
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(wanted).mtimeMs &&
    (!isForDevelopers || hasDevelopmentPackages())
  );
}

function fail(what, remedy) {
  console.error(`\n${what}\n→ ${remedy}\n`);
  process.exit(1);
}

/** What a signal is passed on to. */
let child;
/** What is done meanwhile on a fresh machine. */
let early;

function end(running) {
  return new Promise((settle) => {
    running.once('error', (error) => settle({ error }));
    running.once('exit', (code, signal) => settle({ code, signal }));
  });
}

/** Whether Ctrl-C can reach us: a terminal sends it to us and to the program alike. */
function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

// npm and service managers signal this process alone, so it passes on what it gets.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal));
const interruptedByTerminal = hasTerminal();
process.on('SIGINT', () => interruptedByTerminal || child?.kill('SIGINT'));
/** As a shell says it: a signal's number and 128. */
const statusOf = ({ code, signal }) => code ?? 128 + constants.signals[signal];

if (!isUpToDate()) {
  // On stderr: what a command prints (`npm run -s engine`) is for other programs.
  console.error('Installing the project’s packages (about a minute) …');
  if (program === 'server/main.ts' && isFresh()) {
    early = spawn(process.execPath, [join(project, 'setup', 'early.mjs')], {
      stdio: ['ignore', 'ignore', 2],
    });
    // That it cannot be begun is nothing: the server does all of it.
    early.once('error', () => undefined);
  }
  // Not `npm ci`: it refuses a lock file that lacks an optional package of another platform, which a registry that
  // mirrors only some platforms leaves out. The versions are the lock file's all the same.
  const install = [
    'install',
    '--no-save',
    isForDevelopers ? '--include=dev' : '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  child = spawn('npm', install, { cwd: project, stdio: ['ignore', 2, 2] });
  const ended = await end(child);
  if (ended.error || ended.code !== 0) {
    // What it is in the middle of comes to its end; whoever reads what went wrong finds it last.
    if (early?.exitCode === null && early.signalCode === null) {
      console.error('Waiting for the installation of the Docker Engine to come to its end …');
      const stopped = end(early);
      early.kill();
      await stopped;
    }
  }
  if (ended.error) fail('npm cannot be run.', 'Install Node.js 20 or newer with npm.');
  if (ended.signal) process.exit(statusOf(ended));
  if (ended.code !== 0) {
    fail('The packages could not be installed; npm says why above.', 'Try it by hand: npm install');
  }
  if (!existsSync(ownNode)) {
    fail('The project’s own Node was not installed.', 'Try: rm -rf node_modules && npm install');
  }
}

const flags = [
  '--disable-warning=ExperimentalWarning',
  `--max-semi-space-size=${NEW_SPACE_MIB}`,
  // server/main.ts clears what loading has left.
  '--expose-gc',
  ...['--import', './setup/preload.mjs'],
];
child = spawn(ownNode, [...flags, program, ...programArguments], {
  cwd: project,
  stdio: 'inherit',
  env: {
    MALLOC_ARENA_MAX: ARENAS,
    ...process.env,
    // server/engine/early.ts waits for it.
    ...(early?.pid === undefined ? {} : { QUAYSIDE_EARLY: String(early.pid) }),
  },
});
child.on('exit', (code, signal) => process.exit(statusOf({ code, signal })));
