import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import { withEngine } from '../lab/engine-version.ts';
import { Background } from './base/background.ts';
import { QuaysideError } from './base/errors.ts';
import { failureLog } from './base/log.ts';
import type { Progress } from './base/progress.ts';
import { Class } from './class/class.ts';
import { Roster } from './class/roster.ts';
import type { Config } from './cli/config.ts';
import { DataLock } from './cli/data-lock.ts';
import type { Engine } from './engine/engine.ts';
import { findEngine } from './engine/find.ts';
import { watchImages } from './engine/old-images.ts';
import { watchEngineLog } from './engine/own-engine.ts';
import { loadCourses } from './labs/courses.ts';
import { inOrder, isPlace, type LabFolder, labFolders, namesOf } from './labs/folders.ts';
import { loadAllSteps, loadLab, loadLabSteps, loadLabs } from './labs/loader.ts';
import { offeredLabs } from './labs/offered.ts';
import { LabWatcher } from './labs/watcher.ts';
import { createSandboxRuntime, imagesOf, type SandboxRuntime } from './sandbox/runtime.ts';
import { type CloseOptions, SessionManager } from './session/manager.ts';
import { ensureSite } from './site/build.ts';
import { Store } from './store/store.ts';
import { openSwarm } from './swarm/swarm.ts';
import { HostTerminalBackend } from './terminal/terminal-backend.ts';
import { learnersOrigin } from './web/allow-list.ts';
import { buildWeb } from './web/web.ts';

/** Unguessable, and short enough for a URL that people copy by hand. */
const START_TOKEN_BYTES = 18;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MIB = 1024 ** 2;

/** What a server can be given in place of what it would find, read or build itself. */
export interface AppParts {
  /** Told of set-up that takes long. */
  readonly progress: Progress;
  /** The engine to use. Found, and installed where there is none, if not given. */
  readonly engine?: Engine;
  /** Folder name to lab. The project's own, if not given. */
  readonly labs?: ReadonlyMap<string, Lab>;
  /** What the pages of the given labs ask for. Without them, nothing can be done for a learner. */
  readonly steps?: ReadonlyMap<string, readonly Step[]>;
  /** The folder of built pages. The project's own, built where they are missing, if not given. */
  readonly site?: string;
  /** Told of failures behind the web edge. stderr, if not given. */
  readonly log?: (message: string, error: unknown) => void;
  /** `info` logs every request to the API, `error` only defects. With a class `info`, without `error`, if not given. */
  readonly logLevel?: 'info' | 'error';
}

/** What a server consists of. */
interface Services {
  readonly labs: ReadonlyMap<string, Lab>;
  readonly runtime: SandboxRuntime;
  readonly store: Store;
  readonly sessions: SessionManager;
  /** The folder of built pages; none where Astro's own server shows them. */
  readonly pages: string | undefined;
  /** The owner of what nobody awaits. */
  readonly background: Background;
  /** The class that is served, if one is. */
  readonly roster: Roster | undefined;
  /** What `/sign-in?token=…` must say, where no class is served. */
  readonly startToken: string;
}

/** A whole server. It has taken up what an earlier one left running, and can be listened to. */
export interface App extends Services {
  /**
   * Opens the port.
   *
   * @returns the address that browsers on this machine use
   * @throws QuaysideError PORT_TAKEN
   */
  listen(): Promise<string>;
  /** Closes the port and everything behind it. A second call waits for the first. */
  close(options: CloseOptions): Promise<void>;
}

/**
 * Composes a server: the only place that does. It opens no port before what runs already is taken up: the sweep removes
 * every sandbox without a session, and a session that began meanwhile would lose its own.
 *
 * @throws QuaysideError DATA_IN_USE where another server has the data folder, and where the engine, an image, a lab or the pages cannot be had; nothing stays open then
 */
export async function createApp(config: Config, parts: AppParts): Promise<App> {
  await using opened = new AsyncDisposableStack();
  const lock = opened.use(DataLock.take(config.data, 'serve'));
  const services = await openServices(config, parts, opened);
  const web = await openWeb(config, parts, services);
  const { sessions, roster } = services;
  let how: CloseOptions = { clean: false };
  opened.defer(async () => {
    await web.close();
    await sessions.close(how);
  });
  sessions.open();
  roster?.open();
  if (config.devPages !== undefined) {
    opened.use(watchLabs(config, services, parts.progress));
  }
  const all = opened.move();
  let closing: Promise<void> | undefined;
  return {
    ...services,
    listen: async () => {
      const address = await listen(web, config);
      lock.servedAt(address);
      if (services.roster) services.roster.origin = learnersOrigin(config, address);
      return address;
    },
    close: (options) => {
      if (closing === undefined) how = options;
      closing ??= all.disposeAsync();
      return closing;
    },
  };
}

/** Everything behind the web edge, each given to `opened` as soon as it is there. */
async function openServices(
  config: Config,
  parts: AppParts,
  opened: AsyncDisposableStack,
): Promise<Services> {
  const { progress, log = failureLog(config.classroom !== undefined) } = parts;
  const found = await foldersOf(config, progress);
  const folders = config.devPages === undefined ? found : await soundOf(found, progress);
  const all = parts.labs ?? (await loadLabs(folders));
  const isLeftOut = (name: string) => found.some((each) => each.name === name) && !all.has(name);
  const named = namesOf(config.labs, found).filter((name) => !isLeftOut(name));
  const chosen = offeredLabs(all, named, config.classroom !== undefined);
  const offered = new Map([...chosen].map(([name, lab]) => [name, asConfigured(config, lab)]));
  const background = new Background(log);
  const store = opened.use(new Store(join(config.data, 'quayside.sqlite'), log));
  const united = store.tellUnited();
  if (united) progress(unitedWords(united));
  // Before images are built: a lab may name one that has no folder.
  const steps = parts.labs ? parts.steps : await loadAllSteps(folders, offered);
  const unbuilt = new Set<string>();
  const [runtime, site] = await Promise.all([
    openRuntime(config, parts, offered, { instance: store.instance, background }, unbuilt),
    parts.site === undefined && config.devPages === undefined
      ? ensureSite(config.project, progress, { basePath: config.basePath, labs: folders })
      : undefined,
  ]);
  opened.use(runtime);
  const labs = new Map([...offered].filter(([name]) => !unbuilt.has(name)));
  opened.use(site);
  opened.use(watchEngineLog(runtime.engine, background));
  opened.use(watchImages(runtime.engine, imagesOf(runtime), background, progress));
  const sessions = new SessionManager({
    runtime,
    store,
    labs,
    ...(steps && { steps }),
    sandboxesMost: config.sandboxes,
    pool: config.pool,
    diskBytes: config.diskMib * MIB,
    limits: { idleMs: config.idleMinutes * MINUTE_MS, totalMs: config.totalMinutes * MINUTE_MS },
    retention: { keepMs: config.keepDays * DAY_MS, fillPercent: config.keepFill },
    basePath: config.basePath,
    background,
    terminals: new HostTerminalBackend({ background }),
  });
  const classroom = config.classroom && new Class({ store, ...config.classroom });
  return {
    labs,
    runtime,
    store,
    sessions,
    pages: parts.site ?? site?.directory,
    background,
    roster: classroom && opened.use(new Roster({ classroom, store, sessions, background, labs })),
    startToken: randomBytes(START_TOKEN_BYTES).toString('base64url'),
  };
}

/** A lab as this server has it: its hosts with the engine that is wished, where the lab wishes none. */
function asConfigured({ hostEngine }: Config, lab: Lab): Lab {
  return hostEngine === undefined ? lab : withEngine(lab, hostEngine);
}

/** @param unbuilt while labs are being written, gets those of which an image cannot be built */
async function openRuntime(
  { project, devPages, internet, resolver, swarm }: Config,
  { engine, progress }: AppParts,
  labs: ReadonlyMap<string, Lab>,
  { instance, background }: { readonly instance: string; readonly background: Background },
  unbuilt: Set<string>,
): Promise<SandboxRuntime> {
  const used = engine ?? (await findEngine(process.env, progress));
  const leaveOut = (name: string, error: unknown) => {
    unbuilt.add(name);
    const { message, remedy = '' } = error as Partial<QuaysideError>;
    progress(`labs/${name}: left out until its image can be built. ${message}\n→ ${remedy}`);
  };
  const onUnbuilt = devPages === undefined ? undefined : leaveOut;
  const options = { onUnbuilt, internet: internet ? { resolver } : undefined };
  const own = await createSandboxRuntime(project, used, labs, instance, progress, options);
  return swarm ? await openSwarm(own, { project, instance, background, progress }) : own;
}

function openWeb(config: Config, parts: AppParts, services: Services): ReturnType<typeof buildWeb> {
  const { runtime, store, sessions, background, roster, startToken, pages } = services;
  return buildWeb({
    sessions,
    background,
    learners: {
      signIn: () => store.learners.signIn(),
      create: () => store.learners.create(),
      // In a class, those who have joined it; otherwise whoever has opened the printed URL.
      find: (secret) =>
        roster ? roster.classroom.member(secret)?.learner : store.learners.find(secret),
    },
    ...(roster && { roster }),
    ...(config.tls && { tls: config.tls }),
    trustProxy: config.trustProxy,
    logLevel: parts.logLevel ?? (roster ? 'info' : 'error'),
    ...(config.metricsToken !== undefined && { metricsToken: config.metricsToken }),
    dist: pages ?? join(config.project, 'dist', 'none'),
    host: config.host,
    port: config.port,
    origins: config.origins,
    basePath: config.basePath,
    startToken,
    clean: config.clean,
    health: () => health(runtime.engine, store, config.data),
  });
}

/** Before, every browser without a class had hosts of its own: what has become of them. */
function unitedWords({ browsers, sandboxes }: { browsers: number; sandboxes: number }): string {
  const who = `${browsers} browsers had hosts and progress of their own. From now on there is one learner, with the progress of all.`;
  if (sandboxes === 0) return who;
  const hosts = sandboxes === 1 ? 'one other sandbox was' : `${sandboxes} other sandboxes were`;
  return `${who} Of each lab the hosts that were used last stay; ${hosts} removed.`;
}

async function health(engine: Engine, store: Store, data: string) {
  await engine.ping();
  if (store.obstacle === 'disk') return { ok: false, reason: `The disk under ${data} is full.` };
  return { ok: true, upSeconds: Math.round(process.uptime()) };
}

/** Every lab there is, in the order of its course. */
async function foldersOf(
  { project, labs, devPages }: Config,
  progress: Progress,
): Promise<readonly LabFolder[]> {
  const folders = labFolders(project, labs.filter(isPlace));
  try {
    return inOrder(folders, await loadCourses(folders));
  } catch (error) {
    if (devPages === undefined) throw error;
    progress((error as Error).message);
    return folders;
  }
}

/** While labs are being written, one that cannot be read keeps no other from being shown. */
async function soundOf(
  folders: readonly LabFolder[],
  progress: Progress,
): Promise<readonly LabFolder[]> {
  const sound: LabFolder[] = [];
  for (const folder of folders) {
    try {
      await loadLabSteps(folder, await loadLab(folder));
      sound.push(folder);
    } catch (error) {
      progress(`labs/${folder.name}: left out until it is mended. ${(error as Error).message}`);
    }
  }
  return sound;
}

/** Takes up what an author saves, and says what has come of it. */
function watchLabs(
  config: Config,
  { sessions, background }: Services,
  progress: Progress,
): LabWatcher {
  const { project, labs } = config;
  return new LabWatcher({
    folders: () => labFolders(project, labs.filter(isPlace)),
    background,
    onLab: (name, lab, steps) =>
      progress(`labs/${name}: ${sessions.reload(name, asConfigured(config, lab), steps)}`),
    onBroken: (name, error) =>
      progress(`labs/${name}: kept as it was. ${(error as Error).message}`),
    onCourses: (names) => {
      sessions.reorder(names);
      progress(`course.ts: the labs are in its order: ${names.join(', ')}.`);
    },
    onBrokenCourse: (error) => progress(`The order is kept as it was. ${(error as Error).message}`),
  });
}

async function listen(
  web: Awaited<ReturnType<typeof buildWeb>>,
  { host, port }: Config,
): Promise<string> {
  try {
    return await web.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new QuaysideError(
      'PORT_TAKEN',
      `Port ${port} on ${host} is taken by another program (perhaps another Quayside).`,
      `Stop that program, or use another port: PORT=${port + 1} npm start`,
      { cause: error },
    );
  }
}
