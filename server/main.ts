/** Starts Quayside: does all the set-up that is missing, serves, and stops in good order. */
import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { type App, createApp } from './app.ts';
import { sleep } from './base/deadline.ts';
import { takePriority } from './base/priority.ts';
import { progress } from './base/progress.ts';
import { banner } from './cli/banner.ts';
import { type Config, readConfig } from './cli/config.ts';
import { printFailure } from './cli/failure.ts';
import { HELP } from './cli/settings.ts';
import { stopSignal } from './cli/stop-signal.ts';
import { isLoopback } from './web/allow-list.ts';
import { warmUp } from './web/warm-up.ts';

/** How often Astro's server is asked whether it answers. */
const PAGES_TURN_MS = 200;
/** While the sandboxes of a class are removed, progress is printed after so many of them. */
const REMOVALS_TOLD = 10;

async function serve(config: Config): Promise<void> {
  const app = await createApp(config, { progress });
  try {
    const stopped = stopSignal();
    using _priority = app.roster && takePriority();
    const address = await app.listen();
    if (config.devPages !== undefined) await pagesAnswer(config.devPages, stopped);
    for (const line of readyLines(config, app, address)) progress(line);
    // Now, and not as it ends: a server that is killed leaves it for the next start as well.
    flushCompileCache();
    clearAfterStart();
    const warm = warmUp(app.background).catch((error: unknown) =>
      app.background.fail('warm up the terminals', error),
    );
    if (!stopped.aborted) await once(stopped, 'abort');
    progress(config.clean ? 'Stopping, and removing every sandbox …' : 'Stopping …');
    // It takes its files away, even where the server is stopped at once.
    await warm;
  } finally {
    const staying = !config.clean && app.store.sessionsWithSandbox().length > 0;
    await app.close({
      clean: config.clean,
      onRemoved: (removed, all) => {
        if (removed % REMOVALS_TOLD === 0) progress(`Removed ${removed} of ${all} …`);
      },
    });
    if (staying) {
      progress(
        'The hosts run on, with all that is in them: npm start takes them up again, npm run clean removes them.',
      );
    }
  }
}

/**
 * Loading leaves 7 MiB that Node would keep, and new objects that it would move while somebody types: some of the first
 * keys waited 10 ms for that. It takes 60 ms, before the warm-up: what has not run for some collections is compiled anew.
 */
function clearAfterStart(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Astro's own server takes some seconds longer than this one; a URL that is printed answers. */
async function pagesAnswer(pages: string, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    const answer = await fetch(`${pages}/favicon.svg`, { signal: stopped }).catch(() => undefined);
    if (answer) return;
    await sleep(PAGES_TURN_MS, stopped).catch(() => undefined);
  }
}

function readyLines(config: Config, app: App, address: string): readonly string[] {
  const { basePath } = config;
  if (app.roster) {
    const { classroom, origin = address } = app.roster;
    return banner(classroom, origin + basePath, isLoopback(origin));
  }
  return [
    `Quayside is ready: ${config.devPages ?? address}${basePath}/sign-in?token=${app.startToken}`,
    'Open that URL in a browser on this machine. Ctrl-C stops the server.',
  ];
}

// The reader of stdout may have gone (a closed window, a pipe). The server still has to stop in good order.
process.stdout.on('error', () => undefined);
try {
  const project = resolve(import.meta.dirname, '..');
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) console.log(HELP);
  else await serve(readConfig(project, argv, process.env));
  process.exit(0);
} catch (error) {
  printFailure(error);
  process.exit(1);
}
