import { defineConfig } from '@playwright/test';
import { CHROMIUM, NO_GRAPHICS, QUIET } from './client-driver/chromium.ts';

/** The whole lab, step by step, with real hosts on a busy machine. */
const WALK_MS = 420_000;
/** What a learner would call broken: far more than a tick takes, and enough for a machine that runs everything at once. */
const EXPECT_MS = 20_000;

export default defineConfig({
  testDir: 'tests/e2e',
  globalSetup: './tests/e2e/global-setup.ts',
  outputDir: 'test-results',
  timeout: WALK_MS,
  expect: { timeout: EXPECT_MS },
  // Each walk has a sandbox of its own; two at once is what two cores carry.
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [['list']],
  use: {
    viewport: { width: 1440, height: 900 },
    actionTimeout: EXPECT_MS,
    navigationTimeout: EXPECT_MS,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: CHROMIUM, args: [...QUIET, ...NO_GRAPHICS] },
    permissions: ['clipboard-read', 'clipboard-write'],
  },
});
