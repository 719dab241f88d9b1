import { check, defineLab, type Lab, notYet, passed } from '#lab';
import { joinClass } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { openApp, type TestApp } from './stage.ts';

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

/** A class on real hosts, over the real web server and its real sockets. */
export interface RealClass extends TestApp {
  readonly origin: string;
  /** The instructor's secret. */
  readonly secret: string;
  join(name: string): Promise<Learner>;
  /** A learner's id. */
  idOf(name: string): string;
  /** When a learner's hand was raised, if it is. */
  handOf(name: string): number | undefined;
  sandboxOf(name: string): string | undefined;
}

/** @param diskMib what one host may write */
export async function openClass(sandboxes: number, diskMib?: number): Promise<RealClass> {
  const app = await openApp({
    labs: new Map([[LAB, ISOLATION_LAB]]),
    class: 'Isolation',
    sandboxes,
    ...(diskMib !== undefined && { diskMib }),
  });
  const { roster, store } = app;
  if (!roster) throw new Error('no class is served');
  const { classroom } = roster;
  const origin = await app.listen();
  const learners: Learner[] = [];
  const idOf = (name: string) =>
    roster.entries.find(({ member }) => member.name === name)?.member.learner ?? '';
  return {
    ...app,
    origin,
    secret: classroom.freshSecret ?? '',
    join: async (name) => {
      const http = await joinClass(`${origin}/join/#code=${classroom.code}`, name);
      const learner = await Learner.open(http, LAB);
      learners.push(learner);
      return learner;
    },
    idOf,
    handOf: (name) => roster.entry(idOf(name)).handAt,
    sandboxOf: (name) => store.session(idOf(name), LAB).row.sandbox,
    [Symbol.asyncDispose]: async () => {
      for (const learner of learners) learner[Symbol.dispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}
