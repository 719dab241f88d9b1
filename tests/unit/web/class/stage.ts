import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Background } from '../../../../server/base/background.ts';
import type { AttemptLimiter } from '../../../../server/class/attempt-limiter.ts';
import { Class } from '../../../../server/class/class.ts';
import { Roster } from '../../../../server/class/roster.ts';
import { Store } from '../../../../server/store/store.ts';
import type { WebOptions } from '../../../../server/web/web.ts';
import { FakeSessions, LAB, LAB_WITH_CHECKS, type Stage, stage } from '../stage.ts';

export const CLASS_NAME = 'Docker 101';

/** A class over real HTTP with a real SQLite file; only its sessions are made up. */
export interface ClassStage extends Stage {
  readonly room: Class;
  readonly roster: Roster;
  readonly store: Store;
  /** The instructor's secret. */
  readonly secret: string;
  send(
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Joins and returns the browser's `Cookie` header. */
  join(name: string): Promise<string>;
  /** Signs a browser in as the instructor and returns its `Cookie` header. */
  instruct(): Promise<string>;
}

export async function classStage(
  options: Partial<Omit<WebOptions, 'sessions'>> & {
    readonly learnersMost?: number;
    readonly attempts?: AttemptLimiter;
  } = {},
): Promise<ClassStage> {
  const { learnersMost = 50, attempts, ...webOptions } = options;
  const directory = await mkdtemp(join(tmpdir(), 'quayside-class-'));
  const store = new Store(join(directory, 'quayside.sqlite'));
  const room = new Class({ store, name: CLASS_NAME, learnersMost, ...(attempts && { attempts }) });
  const sessions = new FakeSessions();
  const roster = new Roster({
    classroom: room,
    store,
    sessions,
    background: new Background(() => undefined),
    labs: new Map([[LAB, LAB_WITH_CHECKS]]),
  });
  const web = await stage({
    sessions,
    roster,
    learners: {
      signIn: () => store.learners.signIn(),
      create: () => store.learners.create(),
      find: (secret) => room.member(secret)?.learner,
    },
    ...webOptions,
  });
  const secret = room.freshSecret ?? '';
  const send: ClassStage['send'] = (method, path, body, headers = {}) =>
    web.fetch(path, {
      method,
      headers: {
        origin: web.origin,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  return {
    ...web,
    room,
    roster,
    store,
    secret,
    send,
    join: async (name) =>
      cookieOf(await send('POST', '/api/class/join', { code: room.code, name })),
    instruct: async () => cookieOf(await send('POST', '/api/class/instructor', { secret })),
    [Symbol.asyncDispose]: async () => {
      await web[Symbol.asyncDispose]();
      roster[Symbol.dispose]();
      store[Symbol.dispose]();
      await rm(directory, { recursive: true });
    },
  };
}

/** The `Cookie` header that a browser would send from now on. */
export function cookieOf(answer: Response): string {
  return (answer.headers.getSetCookie()[0] ?? '').split(';', 1)[0] ?? '';
}
