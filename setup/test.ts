/**
 * `npm test`: does all the set-up that is missing, then runs every test. First the labs are tested, one of them with a newer
 * engine as well. Then what Vitest takes: units, the simulation, the built site, what goes through a real proxy, what needs
 * real hosts, and the test of labs itself. Then what Playwright takes: walks through the pages in a real browser. Nothing
 * is tried twice.
 *
 *   npm test                      everything, but for what takes minutes and seldom changes (container, pack, service, swarm)
 *   npm test -- unit              one part, or several; only what they need is set up
 */
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { BASE_PATH } from '../client-driver/base-path.ts';
import { QuaysideError } from '../server/base/errors.ts';
import { progress } from '../server/base/progress.ts';
import { printFailure } from '../server/cli/failure.ts';
import { programOptions } from '../server/cli/program-options.ts';
import { isDebian, isInstalled } from '../server/engine/debian.mjs';
import { findEngine } from '../server/engine/find.ts';
import { installPackages } from '../server/engine/packages.ts';
import { labFolders } from '../server/labs/folders.ts';
import { loadLabs } from '../server/labs/loader.ts';
import { createSandboxRuntime } from '../server/sandbox/runtime.ts';
import { ensureSite } from '../server/site/build.ts';

const PROJECT = resolve(import.meta.dirname, '..');
/** Programs that the tests run, and the Debian packages they come in. */
const PROGRAMS = {
  chromium: ['chromium', 'fonts-dejavu-core'],
  // Walks the main path too.
  'firefox-esr': ['firefox-esr', 'fonts-dejavu-core'],
  // Some terminals' tests use this machine in the place of a host.
  dtach: ['dtach'],
  // The proxy that most servers stand behind.
  nginx: ['nginx-light'],
  // Where the engine is of this machine, it is there.
  docker: ['docker-cli'],
  // Machines with systemd are made and booted by these.
  mmdebstrap: ['mmdebstrap', 'e2fsprogs'],
  slirp4netns: ['slirp4netns'],
} as const;

type Need = 'engine' | 'pages' | keyof typeof PROGRAMS;
type Part = keyof typeof PARTS;

/** What can be named, in the order in which it runs, with what it needs. */
const PARTS = {
  labs: ['engine'],
  unit: [],
  simulation: [],
  site: ['pages'],
  networks: ['nginx', 'pages'],
  integration: ['engine', 'dtach'],
  'lab-test': ['engine'],
  e2e: ['engine', 'pages', 'chromium', 'firefox-esr', 'nginx'],
  container: ['engine', 'docker'],
  pack: ['engine'],
  service: ['mmdebstrap', 'slirp4netns'],
  swarm: ['engine'],
} as const satisfies Record<string, readonly Need[]>;
const NAMES = Object.keys(PARTS) as readonly Part[];
/** Minutes each, for what seldom changes: they run only where they are named. */
const ONLY_NAMED: readonly Part[] = ['container', 'pack', 'service', 'swarm'];

/** The lines in which Vitest and Playwright say how many tests passed, failed or were left out. */
const COUNT =
  /^ *(Test Files|Tests) +\d|^ +\d+ (passed|failed|flaky|skipped|interrupted|did not run)/;

/** The head of what Vitest prints of a test that failed, or of a file that did not load. */
const FAILURE = /^ *FAIL +\S/;
/** Of a failure: its head, what was asked, what came, and where. */
const FAILURE_LINES = 14;
/** Of one run: a cause that fails every test needs no more to be told. */
const FAILURES_MAX = 10;

/** Of this lab's subject, engines from 28 on do something otherwise. */
const ON_NEWER_ENGINE = ['docker-networking', '--engine', '28'];

/** A program of the project and what it takes. */
interface Run {
  readonly program: string;
  readonly args: readonly string[];
}

function runsOf(wanted: readonly Part[]): readonly Run[] {
  const projects = wanted.filter((part) => part !== 'labs' && part !== 'e2e');
  const runs: Run[] = [];
  for (const args of wanted.includes('labs') ? [[], ON_NEWER_ENGINE] : []) {
    runs.push({ program: 'lab-test/main.ts', args });
  }
  if (projects.length > 0) {
    const named = projects.flatMap((name) => ['--project', name]);
    runs.push({ program: 'node_modules/vitest/vitest.mjs', args: ['run', ...named] });
  }
  if (wanted.includes('e2e')) {
    runs.push({ program: 'node_modules/@playwright/test/cli.js', args: ['test'] });
  }
  return runs;
}

/** What is said again when all has run: a log is read from its end, and often only its end is kept. */
interface Said {
  readonly counts: string[];
  readonly failures: string[];
}

/** @returns whether it succeeded */
async function run({ program, args }: Run, env: NodeJS.ProcessEnv, { counts, failures }: Said) {
  const keepCounts = function* (line: unknown) {
    if (COUNT.test(stripVTControlCharacters(String(line)))) counts.push(String(line));
    yield line;
  };
  let left = 0;
  const keepFailures = function* (line: unknown) {
    if (FAILURE.test(stripVTControlCharacters(String(line)))) left = FAILURE_LINES;
    if (left > 0 && failures.length < FAILURES_MAX * FAILURE_LINES) failures.push(String(line));
    left -= 1;
    yield line;
  };
  const { failed } = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(PROJECT, program), ...args],
    {
      cwd: PROJECT,
      env,
      reject: false,
      stdin: 'inherit',
      // In a terminal the programs draw their progress themselves.
      stdout: process.stdout.isTTY ? 'inherit' : [keepCounts, 'inherit'],
      stderr: process.stderr.isTTY ? 'inherit' : [keepFailures, 'inherit'],
      buffer: false,
    },
  );
  return !failed;
}

async function test(names: readonly string[]): Promise<boolean> {
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `There are no tests named ${unknown}.`,
      `Name any of ${NAMES.join(', ')}, or none for all.`,
    );
  }
  const wanted = NAMES.filter((name) =>
    names.length === 0 ? !ONLY_NAMED.includes(name) : names.includes(name),
  );
  const needs = new Set<Need>(wanted.flatMap((part) => PARTS[part]));
  await using stack = new AsyncDisposableStack();
  const env = await setUp(needs, stack);
  const said: Said = { counts: [], failures: [] };
  const failed: string[] = [];
  for (const each of runsOf(wanted)) {
    if (!(await run(each, env, said))) failed.push(each.program);
  }
  // Not as progress, which leaves out lines that begin with a space.
  for (const line of said.failures) console.log(line);
  if (failed.length > 0) progress(`Failed: ${failed.join(', ')}`);
  for (const line of said.counts) progress(line);
  return failed.length === 0;
}

/** @returns the environment of the tests */
async function setUp(
  needs: ReadonlySet<Need>,
  stack: AsyncDisposableStack,
): Promise<NodeJS.ProcessEnv> {
  for (const [program, packages] of Object.entries(PROGRAMS)) {
    if (needs.has(program as Need)) await ensureProgram(program, packages);
  }
  if (needs.has('pages')) {
    for (const basePath of ['', BASE_PATH]) {
      stack.use(await ensureSite(PROJECT, progress, { basePath }));
    }
  }
  if (!needs.has('engine')) return process.env;
  const engine = await findEngine(process.env, progress);
  const labs = await loadLabs(labFolders(PROJECT));
  // The gateway's image as well.
  const internet = { resolver: undefined };
  stack.use(await createSandboxRuntime(PROJECT, engine, labs, 'set-up', progress, { internet }));
  // Whatever the tests start finds this very engine.
  return { ...process.env, DOCKER_HOST: engine.address };
}

async function ensureProgram(program: string, packages: readonly string[]): Promise<void> {
  if (isInstalled(program)) return;
  if (process.getuid?.() !== 0 || !isDebian()) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `The tests need ${program}, which is not installed, and set-up can install it only as root on Debian or Ubuntu.`,
      `Install it: sudo apt-get install ${packages.join(' ')}`,
    );
  }
  progress(`Installing ${program} …`);
  await installPackages(packages, progress);
}

const options = programOptions(import.meta.filename, { allowPositionals: true });
try {
  process.exitCode = (await test(options.positionals)) ? 0 : 1;
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
