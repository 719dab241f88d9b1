import { defineConfig } from 'vitest/config';

/** Starting hosts takes seconds, and on a busy machine several times that. */
const REAL_HOSTS_MS = 120_000;
/** Starting Node takes a third of a second, and on a busy machine ten times that; some tests start several. */
const REAL_PROCESSES_MS = 30_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          testTimeout: REAL_PROCESSES_MS,
        },
      },
      { test: { name: 'site', include: ['tests/site/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          testTimeout: REAL_HOSTS_MS,
          hookTimeout: REAL_HOSTS_MS,
          // As with the walks in a browser: one that stumbles once on a busy machine is tried again, and reported.
          retry: process.env.CI ? 1 : 0,
          // Two cores: side by side the suites would only wait for each other's hosts.
          fileParallelism: false,
        },
      },
      {
        // The proof of labs, put to the proof: a lab's first page, fifteen times over. By itself, after all the others.
        test: {
          name: 'lab-test',
          sequence: { groupOrder: 1 },
          include: ['tests/lab-test/**/*.test.ts'],
          testTimeout: REAL_HOSTS_MS,
          hookTimeout: REAL_HOSTS_MS,
          retry: process.env.CI ? 1 : 0,
          fileParallelism: false,
        },
      },
    ],
  },
});
