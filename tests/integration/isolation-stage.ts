import { check, defineLab, type Lab, notYet, passed } from '#lab';
import { ScriptedLearner } from '../../bench/class/learner.ts';
import { Background } from '../../server/base/background.ts';
import { Class } from '../../server/class/class.ts';
import { Roster } from '../../server/class/roster.ts';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { buildWeb } from '../../server/web/web.ts';
import { openFoundry, PROJECT, sessionParts } from './stage.ts';

/** The name of the lab, and of what stands on its servers. */
export const LAB = 'isolation';
export const IMAGE = 'mycontainer:5.6';
/** One step for each trouble; done by making a container of that name. */
export const TROUBLES = ['flood', 'firewall', 'memory', 'processes', 'disk'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** A host with an engine and one without, and a step to do while each trouble lasts. */
export const ISOLATION_LAB: Lab = defineLab({
  title: 'Isolation',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: true, images: [IMAGE] },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'index',
      title: 'Isolation',
      checks: TROUBLES.map((trouble) =>
        check(trouble, {
          title: `A container ${trouble} is made`,
          test: async (sandbox) =>
            (await sandbox.host('server01').container(trouble))
              ? passed()
              : notYet('Not made yet.'),
        }),
      ),
    },
  ],
});

const LABS = new Map([[LAB, ISOLATION_LAB]]);

/** A class on real hosts, over the real web server and its real sockets. Disposing it removes everything. */
export interface RealClass extends AsyncDisposable {
  readonly runtime: SandboxRuntime;
  readonly store: Store;
  readonly sessions: SessionManager;
  readonly origin: string;
  /** The instructor's secret. */
  readonly secret: string;
  join(name: string): Promise<ScriptedLearner>;
  /** A learner's id. */
  idOf(name: string): string;
  /** When a learner's hand was raised, if it is. */
  handOf(name: string): number | undefined;
  sandboxOf(name: string): string | undefined;
  live(): Promise<readonly string[]>;
}

/** @param diskBytes what one host may write */
export async function openClass(sandboxesMost: number, diskBytes?: number): Promise<RealClass> {
  const { runtime, ...stage } = await openFoundry(LABS);
  const store = new Store(':memory:');
  const sessions = new SessionManager({
    runtime,
    store,
    labs: LABS,
    sandboxesMost,
    ...(diskBytes !== undefined && { diskBytes }),
    ...sessionParts((message, error) => console.error(message, error)),
  });
  const room = new Class({ store, name: 'Isolation', learnersMost: 10 });
  const background = new Background(console.error);
  const roster = new Roster({ classroom: room, store, sessions, background, labs: LABS });
  const web = await buildWeb({
    background,
    sessions,
    classroom: { door: room, roster },
    learners: {
      create: () => store.createLearner(),
      find: (secret) => room.member(secret)?.learner,
    },
    dist: PROJECT,
    host: '127.0.0.1',
    port: 0,
    startToken: 'unused',
    health: () => ({ ok: true }),
  });
  const origin = await web.listen({ host: '127.0.0.1', port: 0 });
  await sessions.open();
  roster.open();
  const learners: ScriptedLearner[] = [];
  const idOf = (name: string) =>
    roster.entries.find(({ member }) => member.name === name)?.member.learner ?? '';
  const live = () => liveSandboxes(runtime, store.instance);
  return {
    runtime,
    store,
    sessions,
    origin,
    secret: room.freshSecret ?? '',
    join: async (name) => {
      const learner = await ScriptedLearner.join(`${origin}/join/#code=${room.code}`, name, LAB);
      learners.push(learner);
      return learner;
    },
    idOf,
    handOf: (name) => roster.entry(idOf(name)).handAt,
    sandboxOf: (name) => store.session(idOf(name), LAB).sandbox,
    live,
    [Symbol.asyncDispose]: async () => {
      for (const learner of learners) learner.close();
      await web.close();
      roster[Symbol.dispose]();
      await sessions.close(true);
      const left = await live();
      store[Symbol.dispose]();
      await stage[Symbol.asyncDispose]();
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
    },
  };
}
