/**
 * `npm test`: does all the set-up that is missing, then runs every test. First the labs prove themselves. Then what
 * Vitest takes: unit tests, the built site's, those on real hosts, and those of the proof itself. Then what Playwright
 * takes: walks through the pages in a real browser.
 *
 *   npm test                      everything
 *   npm test -- unit              one Vitest project: unit, site, integration or lab-test
 *   npm test -- labs              the proofs of the labs (npm run lab:test)
 *   npm test -- e2e               the browser walks only
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { QuaysideError } from '../server/base/errors.ts';
import { progress } from '../server/base/progress.ts';
import { findEngine } from '../server/engine/find.ts';
import { installPackages, isDebian, isInstalled } from '../server/engine/packages.ts';
import { loadLabs } from '../server/labs/loader.ts';
import { createSandboxRuntime } from '../server/sandbox/runtime.ts';
import { ensureSite } from '../server/site/build.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const VITEST_PROJECTS = ['unit', 'site', 'integration', 'lab-test'];
/** What can be named, in the order in which they run. */
const PARTS = ['labs', ...VITEST_PROJECTS, 'e2e'];
/** Programs that the tests run, and the Debian packages they come in. */
const PROGRAMS = {
  chromium: ['chromium', 'fonts-dejavu-core'],
  // The terminals' tests use this machine in the place of a host.
  dtach: ['dtach'],
};

async function ensurePrograms(): Promise<void> {
  for (const [program, packages] of Object.entries(PROGRAMS)) {
    if (await isInstalled(program)) continue;
    if (process.getuid?.() !== 0 || !(await isDebian())) {
      throw new QuaysideError(
        'CONFIG_INVALID',
        `The tests need ${program}, which is not installed, and set-up can install it only as root on Debian or Ubuntu.`,
        `Install it: sudo apt-get install ${packages.join(' ')}`,
      );
    }
    progress(`Installing ${program} …`);
    await installPackages(packages, progress);
  }
}

async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(process.execPath, argv, { cwd: PROJECT, env, stdio: 'inherit' });
  const status = await new Promise<number | null>((settle, reject) => {
    child.once('error', reject);
    child.once('close', settle);
  });
  return status === 0;
}

async function test(wanted: readonly string[]): Promise<boolean> {
  const unknown = wanted.find((name) => !PARTS.includes(name));
  if (unknown !== undefined) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `There are no tests named ${unknown}.`,
      `Name any of ${PARTS.join(', ')}, or none for all.`,
    );
  }
  await ensurePrograms();
  const engine = await findEngine(process.env, progress);
  await using _runtime = await createSandboxRuntime(
    PROJECT,
    engine,
    await loadLabs(PROJECT),
    'set-up',
    progress,
  );
  using _site = await ensureSite(PROJECT, progress);
  // Whatever the tests start finds this very engine.
  const env = { ...process.env, DOCKER_HOST: engine.address };
  const flags = ['--disable-warning=ExperimentalWarning'];
  const projects = VITEST_PROJECTS.filter((name) => wanted.length === 0 || wanted.includes(name));
  let passed = true;
  if (wanted.length === 0 || wanted.includes('labs')) {
    const proof = [...flags, join(PROJECT, 'lab-test/main.ts')];
    passed = await run(proof, env);
    if (!passed && process.env.CI) {
      // As with the other tests on real hosts: what stumbles once on a busy machine is tried again, and reported.
      progress(
        'Not proven, as the lines above say. Once more, as a busy machine can make a step stumble …',
      );
      passed = await run(proof, env);
    }
  }
  if (projects.length > 0) {
    const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
    const named = projects.flatMap((name) => ['--project', name]);
    passed = (await run([...flags, vitest, 'run', ...named], env)) && passed;
  }
  if (wanted.length === 0 || wanted.includes('e2e')) {
    const playwright = join(PROJECT, 'node_modules/@playwright/test/cli.js');
    passed = (await run([...flags, playwright, 'test'], env)) && passed;
  }
  return passed;
}

try {
  process.exitCode = (await test(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  if (!(error instanceof QuaysideError)) throw error;
  console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  process.exitCode = 1;
}
