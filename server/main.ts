/** Starts Quayside: does all the set-up that is missing, serves, and stops in good order. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { QuaysideError } from './base/errors.ts';
import { failureLog } from './base/log.ts';
import { takePriority } from './base/priority.ts';
import { progress } from './base/progress.ts';
import { Class } from './class/class.ts';
import { Roster } from './class/roster.ts';
import { HELP } from './cli/args.ts';
import { banner } from './cli/banner.ts';
import { type Config, readConfig } from './cli/config.ts';
import { findEngine } from './engine/find.ts';
import { loadAllSteps, loadLabs } from './labs/loader.ts';
import { LabWatcher } from './labs/watcher.ts';
import { createSandboxRuntime } from './sandbox/runtime.ts';
import { SessionManager } from './session/manager.ts';
import { ensureSite, siteDirectory } from './site/build.ts';
import { Store } from './store/store.ts';
import { buildWeb, type WebOptions } from './web/web.ts';

/** Unguessable, and short enough for a URL that people copy by hand. */
const START_TOKEN_BYTES = 18;
const MINUTE_MS = 60_000;
/** Whoever stops a whole class hears after so many sandboxes how far it is: often enough to see that it goes on. */
const REMOVALS_TOLD = 10;

async function serve(config: Config): Promise<void> {
  const labs = await loadLabs(config.project);
  using store = new Store(join(config.data, 'quayside.sqlite'));
  const [runtime] = await Promise.all([
    findEngine(process.env, progress).then((engine) =>
      createSandboxRuntime(config.project, engine, labs, store.instance, progress),
    ),
    config.devPages === undefined ? ensureSite(config.project, progress) : undefined,
  ]);
  await using _runtime = runtime;
  const registry = new SessionManager({
    runtime,
    store,
    labs,
    steps: await loadAllSteps(config.project, labs),
    sandboxesMost: config.sandboxesMost,
    pool: config.pool,
    diskBytes: config.diskMib * 1024 ** 2,
    limits: { idleMs: config.idleMinutes * MINUTE_MS, totalMs: config.totalMinutes * MINUTE_MS },
    log: failureLog(config.classroom !== undefined),
  });
  const startToken = randomBytes(START_TOKEN_BYTES).toString('base64url');
  const room = config.classroom && new Class({ store, ...config.classroom });
  using roster = room && new Roster({ classroom: room, store, sessions: registry, labs });
  const web = await buildWeb({
    sessions: registry,
    learners: learnersOf(store, room),
    ...(room && roster && { classroom: { door: room, roster } }),
    ...(config.tls && { tls: config.tls }),
    trustProxy: config.trustProxy,
    logLevel: room ? 'info' : 'error',
    ...(config.metricsToken !== undefined && { metricsToken: config.metricsToken }),
    dist: siteDirectory(config.project),
    host: config.host,
    port: config.port,
    origins: config.origins,
    startToken,
    clean: config.clean,
    health: async () => {
      await runtime.engine.docker.ping();
      if (store.unwritten > 0)
        return { ok: false, reason: `The disk under ${config.data} is full.` };
      return { ok: true, upSeconds: Math.round(process.uptime()) };
    },
  });
  const stopped = stopSignal();
  using _priority = room && takePriority();
  const address = await web
    .listen({ host: config.host, port: config.port })
    .catch((error: NodeJS.ErrnoException) => {
      throw listenError(error, config);
    });
  await registry.open();
  using _live = config.devPages === undefined ? undefined : liveLabs(config.project, registry);
  roster?.open();
  const lines = room
    ? banner(room, config.origins[0] ?? address)
    : [
        `Quayside is ready: ${config.devPages ?? address}/sign-in?token=${startToken}`,
        'Open that URL in a browser on this machine. Ctrl-C stops the server.',
      ];
  for (const line of lines) progress(line);
  await stopped;
  progress(config.clean ? 'Stopping, and removing every sandbox …' : 'Stopping …');
  await web.close();
  await registry.close(config.clean, (removed, all) => {
    if (removed % REMOVALS_TOLD === 0) progress(`Removed ${removed} of ${all} …`);
  });
  if (!config.clean && store.sessionsWithSandbox().length > 0) {
    progress(
      'The hosts run on, with all that is in them: npm start takes them up again, npm run clean removes them.',
    );
  }
}

/** In a class, those who have joined it; otherwise whoever has opened the printed URL. */
function learnersOf(store: Store, room: Class | undefined): WebOptions['learners'] {
  return {
    create: () => store.createLearner(),
    find: (secret) => (room ? room.member(secret)?.learner : store.findLearner(secret)),
  };
}

/** Takes up what an author saves, and says so. */
function liveLabs(project: string, registry: SessionManager): LabWatcher {
  return new LabWatcher({
    project,
    onLab: (name, lab, steps) => progress(`labs/${name}: ${registry.reload(name, lab, steps)}`),
    onBroken: (name, error) =>
      progress(`labs/${name}: kept as it was. ${(error as Error).message}`),
  });
}

/** Settles at the first Ctrl-C or request to end; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((settle) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(name, () => {
        settle();
        process.once(name, () => process.exit(1));
      });
    }
  });
}

function listenError(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  if (error.code === 'EADDRINUSE') {
    return new QuaysideError(
      'PORT_TAKEN',
      `Port ${port} on ${host} is taken by another program (perhaps another Quayside).`,
      `Stop that program, or use another port: PORT=${port + 1} npm start`,
      { cause: error },
    );
  }
  return error;
}

// Whoever read along may have gone (a closed window, a pipe); stopping in good order matters more than being heard.
process.stdout.on('error', () => undefined);
try {
  const project = resolve(import.meta.dirname, '..');
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) console.log(HELP);
  else await serve(readConfig(project, argv, process.env));
  process.exit(0);
} catch (error) {
  if (error instanceof QuaysideError) console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  else console.error('\nQuayside failed in a way it should not. Please report this:\n', error);
  process.exit(1);
}
