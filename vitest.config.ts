import { defineConfig } from 'vitest/config';

/** Starting hosts takes seconds, and on a busy machine several times that. */
const REAL_HOSTS_MS = 120_000;
/** Starting Node takes a third of a second, and on a busy machine ten times that; some tests start several. */
const REAL_PROCESSES_MS = 30_000;
/** A link's beat comes each ten seconds, and some tests hear several. */
const REAL_LINES_MS = 60_000;
/** What a test waits for comes when a busy machine gets to it: a wait ends at once where it has come, and never before its test. */
const WAITS = 0.8;
/** Two thousand seeds take a minute of one core. */
const SIMULATION_MS = 600_000;

const timeouts = (testTimeout: number) => ({
  testTimeout,
  expect: { poll: { timeout: WAITS * testTimeout } },
});

/**
 * What needs real hosts runs after all else, one file after the other: two cores carry no more, and a test that waits for
 * a core looks like one that fails.
 */
const onRealHosts = (name: string, groupOrder: number) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    sequence: { groupOrder },
    ...timeouts(REAL_HOSTS_MS),
    hookTimeout: REAL_HOSTS_MS,
    fileParallelism: false,
  },
});

const onNothing = (name: string, testTimeout: number) => ({
  test: { name, include: [`tests/${name}/**/*.test.ts`], ...timeouts(testTimeout) },
});

export default defineConfig({
  test: {
    projects: [
      onNothing('unit', REAL_PROCESSES_MS),
      onNothing('simulation', SIMULATION_MS),
      onNothing('site', REAL_PROCESSES_MS),
      onNothing('networks', REAL_LINES_MS),
      onRealHosts('integration', 1),
      // The test of labs, tested: a lab's first page, fifteen times over.
      onRealHosts('lab-test', 2),
      // Only where they are named: an image of the whole project, and an archive of it.
      onRealHosts('container', 3),
      onRealHosts('pack', 4),
      // And machines with systemd that are booted here.
      onRealHosts('service', 5),
      // And a class on three machines.
      onRealHosts('swarm', 6),
    ],
  },
});
