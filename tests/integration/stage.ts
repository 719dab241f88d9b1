import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defineLab, type Lab } from '#lab';
import type { SessionSnapshot } from '#protocol';
import type { Step } from '#steps';
import { Changes } from '../../client-driver/changes.ts';
import { ExpectationFailed } from '../../client-driver/expectation-failed.ts';
import { type App, createApp } from '../../server/app.ts';
import { readConfig } from '../../server/cli/config.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { runningEngine } from '../../server/engine/find.ts';
import { destroySandbox, liveSandboxes } from '../../server/sandbox/removal.ts';
import { createSandboxRuntime, type SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';
import type { LearnerSession } from '../../server/session/sessions.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');
/** Hosts are ready in seconds; on a machine that is busy with other tests in many times that. */
const SOON_MS = 90_000;

/** The smallest lab that has everything: a host with an engine and an image, an alias, and a plain host. */
export const SMALL_LAB: Lab = defineLab({
  title: 'Small',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      aliases: ['agent01'],
      engine: true,
      images: ['mycontainer:5.6'],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { 'mycontainer:5.6': 'mycontainer' },
  browser: 'client',
  sections: [],
});

/** The engine that `npm test` has found or started. */
export async function realEngine(): Promise<Engine> {
  const engine = await runningEngine(process.env);
  if (!engine) throw new Error('No engine runs; npm test starts one.');
  return engine;
}

/** How a test's server is told to run. */
export interface AppOptions {
  /** Folder name to lab. */
  readonly labs: ReadonlyMap<string, Lab>;
  readonly steps?: ReadonlyMap<string, readonly Step[]>;
  /** The most sandboxes; 4, if not given. */
  readonly sandboxes?: number;
  readonly pool?: number;
  /** What one host may write. */
  readonly diskMib?: number;
  /** After which the hosts of an idle session are stopped: also less than an operator can say. */
  readonly idleMinutes?: number;
  /** The name of a class to serve. */
  readonly class?: string;
  /** The engine of all tests, if not given. */
  readonly engine?: Engine;
  /** The data of an earlier server, which is taken up. */
  readonly data?: string;
  /** Hosts that ask for it may reach the internet, where names are asked for of this address. */
  readonly resolver?: string;
  /** Sandboxes go to all machines of the Swarm that the engine manages. */
  readonly swarm?: boolean;
  /** Whether failures are what is tried; otherwise none may be logged. */
  readonly mayFail?: boolean;
}

/** A learner of a test, with their session. */
export interface TestLearner {
  readonly id: string;
  readonly session: LearnerSession;
}

/** A whole server on the real engine, which no port leads to until it is told to listen. */
export interface TestApp extends App, AsyncDisposable {
  readonly data: string;
  /** A new learner, and their session of a lab. */
  newLearner(lab: string): TestLearner;
  /** Its sandboxes, as the engine has them. */
  live(): Promise<readonly string[]>;
  /** The container of a sandbox that carries a label: `quayside.host=client`. */
  container(sandbox: string | undefined, label: string): Promise<string>;
}

/** Disposing it removes all that is there, and throws where something is left or a failure was logged. */
export async function openApp(options: AppOptions): Promise<TestApp> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'quayside-test-')));
  const logged: string[] = [];
  const config = {
    ...readConfig(PROJECT, options.class === undefined ? [] : ['--class', options.class], {
      PORT: '0',
      QUAYSIDE_DATA: data,
      QUAYSIDE_POOL: String(options.pool ?? 0),
      ...(options.resolver !== undefined && {
        QUAYSIDE_INTERNET: '1',
        QUAYSIDE_RESOLVER: options.resolver,
      }),
      ...(options.diskMib !== undefined && { QUAYSIDE_DISK_MIB: String(options.diskMib) }),
    }),
    swarm: options.swarm ?? false,
    // No number that an operator could name: where the machine is full from the start, it is 0.
    sandboxes: options.sandboxes ?? 4,
    ...(options.idleMinutes !== undefined && { idleMinutes: options.idleMinutes }),
  };
  const app = await createApp(config, {
    engine: options.engine ?? (await realEngine()),
    labs: options.labs,
    ...(options.steps && { steps: options.steps }),
    site: join(data, 'no-pages'),
    progress: () => undefined,
    log: (message, error) => {
      logged.push(`${message}: ${error}`);
      if (!options.mayFail) console.error(message, error);
    },
    logLevel: 'error',
  });
  const { runtime } = app;
  const { instance } = app.store;
  const live = () => liveSandboxes(runtime, instance);
  return {
    ...app,
    data,
    live,
    newLearner: (lab) => {
      const { learner: id } = app.store.learners.create();
      return { id, session: app.sessions.of(id, lab) };
    },
    container: async (sandbox, label) => {
      const filters = { label: [`quayside.sandbox=${sandbox}`, label] };
      const [found] = await runtime.engine.docker.listContainers({ filters });
      if (!found) throw new Error(`no container of ${sandbox} carries ${label}`);
      return found.Id;
    },
    [Symbol.asyncDispose]: async () => {
      await app.close({ clean: true });
      const left = await live();
      await rm(data, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
      if (logged.length > 0 && !options.mayFail) throw new Error(`logged: ${logged.join('; ')}`);
    },
  };
}

/** Settles with a session as soon as it is as `isWanted` says. It counts as no page. */
export async function until(
  session: LearnerSession,
  what: string,
  isWanted: (now: SessionSnapshot) => boolean,
): Promise<SessionSnapshot> {
  const changes = new Changes();
  using _ = session.observe(() => changes.emit());
  return await changes.until({
    ms: SOON_MS,
    what,
    look: () => {
      const now = session.snapshot();
      return isWanted(now) ? now : undefined;
    },
    seen: () => {
      const { status, checks, guide } = session.snapshot();
      return JSON.stringify({ status, checks, guide });
    },
  });
}

/** Settles with a session whose hosts are ready. @throws ExpectationFailed as soon as they cannot be */
export function untilReady(session: LearnerSession): Promise<SessionSnapshot> {
  return until(session, 'the hosts to be ready', ({ status }) => {
    if (status.state === 'failed') throw new ExpectationFailed('ready hosts', status.reason);
    return status.state === 'ready';
  });
}

/** Starts a session, and settles when its hosts are ready. */
export function started(session: LearnerSession): Promise<SessionSnapshot> {
  session.start();
  return untilReady(session);
}

/** A runtime on the real engine under an instance name of its own; disposing it removes whatever the test left. */
export async function openRuntime(
  labs: ReadonlyMap<string, Lab> = new Map([['small', SMALL_LAB]]),
): Promise<{ readonly runtime: SandboxRuntime; readonly instance: string } & AsyncDisposable> {
  const engine = await realEngine();
  const instance = `test-${randomBytes(4).toString('hex')}`;
  const runtime = await createSandboxRuntime(PROJECT, engine, labs, instance, () => undefined);
  return {
    runtime,
    instance,
    [Symbol.asyncDispose]: async () => {
      for (const id of await liveSandboxes(runtime, instance)) await destroySandbox(runtime, id);
      await runtime[Symbol.asyncDispose]();
    },
  };
}

/** A running sandbox, removed when disposed. Its hosts' engines are awake, unless they are to sleep. */
export async function startSandbox(
  runtime: SandboxRuntime,
  instance: string,
  lab: Lab = SMALL_LAB,
  engines: 'awake' | 'asleep' = 'awake',
): Promise<{ readonly sandbox: Sandbox } & AsyncDisposable> {
  const id = randomBytes(4).toString('hex');
  const sandbox = new Sandbox(runtime, lab, { instance, sandbox: id, session: `session-${id}` });
  await sandbox.reconcile(() => undefined);
  if (engines === 'awake') {
    await Promise.all(sandbox.hosts.map((host) => host.wake(new AbortController().signal)));
  }
  return { sandbox, [Symbol.asyncDispose]: () => sandbox.destroy() };
}
