import { dirname, join } from 'node:path';
import { test } from './learner.ts';
import { walkMainPath } from './main-path.ts';

test.use({
  browserName: 'firefox',
  // Not Playwright's own build, which would have to be downloaded.
  channel: 'moz-firefox',
  launchOptions: {
    executablePath: join(import.meta.dirname, '../fixtures/firefox.ts'),
    // This very Node runs it.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
  },
  permissions: [],
});

test('Firefox: a learner gets from the home page into the work', async ({ learner }) => {
  await walkMainPath(learner, 'mouse');
});
