import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import WebSocket from 'ws';
import { check, defineLab, passed } from '#lab';
import type { SessionEvent, SessionSnapshot } from '#protocol';
import { Background } from '../../../server/base/background.ts';
import { QuaysideError } from '../../../server/base/errors.ts';
import type { BrowserPane } from '../../../server/browser/browser-pane.ts';
import type { HostFiles } from '../../../server/files/host-files.ts';
import type { LearnerSession, Sessions } from '../../../server/session/sessions.ts';
import type { Terminal } from '../../../server/terminal/terminal.ts';
import type { Learners } from '../../../server/web/cookies.ts';
import { buildWeb, type WebOptions } from '../../../server/web/web.ts';

export const LAB = 'docker-networking';
export const START_TOKEN = 'a-start-token-of-this-test';
/** The lab as its author would have it, with checks that are never asked here. */
export const LAB_WITH_CHECKS = defineLab({
  title: 'Docker Networking',
  hosts: { server01: { address: '10.1.10.11/24', engine: true } },
  browser: 'server01',
  sections: [
    {
      page: 'ports',
      title: 'Ports',
      checks: ['myapp2-runs', 'port-changed'].map((id) =>
        check(id, { title: `Step ${id}`, test: () => passed() }),
      ),
    },
  ],
});
const SNAPSHOT: SessionSnapshot = {
  lab: LAB,
  status: { state: 'none' },
  checks: [
    { id: 'myapp2-runs', state: 'passed', passedAt: 1 },
    { id: 'port-changed', state: 'not-yet', reason: 'Nothing restarted yet.' },
  ],
  values: [],
  terminals: [],
  answers: {},
  runs: [],
  guide: { state: 'idle' },
};

/** The terminal that every learner has in {@link FakeSessions}; it carries the learner's name. */
export const TERMINAL = 't1';

/** Learners in memory. */
export class FakeLearners implements Learners {
  readonly secrets = new Map<string, string>();

  create(): { learner: string; secret: string } {
    const learner = `learner${this.secrets.size + 1}`;
    const secret = `secret-of-${learner}`;
    this.secrets.set(secret, learner);
    return { learner, secret };
  }

  /** The one learner's browsers. */
  signIn(): string {
    const secret = `secret-of-browser${this.secrets.size + 1}`;
    this.secrets.set(secret, 'person');
    return secret;
  }

  find(secret: string): string | undefined {
    return this.secrets.get(secret);
  }
}

/** Sessions that keep a list of what was asked, by whom, and own nothing but names. */
export class FakeSessions implements Sessions {
  readonly labs = [
    { name: LAB, title: 'Docker Networking', counted: ['myapp2-runs', 'port-changed'] },
  ];
  readonly asked: string[] = [];
  readonly panes = new Map<string, BrowserPane>();
  readonly listeners = new Map<string, Set<(event: SessionEvent) => void>>();
  readonly #snapshots = new Map<string, SessionSnapshot>();
  /** Terminal id to the learner who owns it. */
  readonly terminals = new Map<string, string>();
  /** What a socket to such a terminal gets. */
  carried: Terminal | undefined;
  fault: Error | undefined;
  /** The nodes of the Swarm, where a test has one. */
  nodeWatch: Sessions['nodeWatch'];
  /** The files of every host. */
  files = {} as HostFiles;

  /** A learner's session becomes so, and whoever listens to it is told. */
  change(learner: string, changes: Partial<SessionSnapshot>): void {
    const snapshot = { ...SNAPSHOT, ...changes };
    this.#snapshots.set(learner, snapshot);
    for (const listener of this.listeners.get(learner) ?? []) {
      listener({ type: 'status', status: snapshot.status });
      listener({ type: 'checks', checks: snapshot.checks });
    }
  }

  forget(learner: string): void {
    this.asked.push(`forget ${learner}`);
  }

  of(learner: string, lab: string): LearnerSession {
    if (this.fault) throw this.fault;
    if (lab !== LAB) throw new QuaysideError('LAB_UNKNOWN', 'No such lab.', 'Look.');
    const note = (what: string) => void this.asked.push(`${what} ${learner}`);
    const noting = (what: string) => () => note(what);
    const terminal = (id: string): Terminal => {
      note('terminal');
      if (this.terminals.get(id) !== learner) {
        throw new QuaysideError('TERMINAL_UNKNOWN', 'No such terminal.', 'Open one.');
      }
      return this.carried ?? ({} as Terminal);
    };
    const snapshot = (): SessionSnapshot => {
      note('snapshot');
      return this.#snapshots.get(learner) ?? SNAPSHOT;
    };
    const observe = (listener: (event: SessionEvent) => void): Disposable => {
      const listeners = this.listeners.get(learner) ?? new Set();
      this.listeners.set(learner, listeners.add(listener));
      listener({ type: 'snapshot', snapshot: snapshot() });
      return {
        [Symbol.dispose]: () => {
          listeners.delete(listener);
          note('unsubscribed');
        },
      };
    };
    return {
      snapshot,
      terminal,
      observe,
      subscribe: observe,
      start: noting('start'),
      reset: async () => note('reset'),
      extend: noting('extend'),
      touch: noting('touch'),
      end: async () => note('end'),
      startFrom: async (start) => note(`startFrom ${JSON.stringify(start)}`),
      doStep: (step) => {
        note('doStep');
        if (step !== 'myapp2-runs') throw new QuaysideError('STEP_UNKNOWN', 'No such step.', '…');
        return { state: 'working', job: 'j1', purpose: 'step', step, place: 1, of: 1, says: 'T' };
      },
      stopGuide: () => {
        note('stopGuide');
        return { state: 'idle' };
      },
      restartHost: async (host) => note(`restartHost ${host}`),
      openTerminal: async (host) => {
        note('openTerminal');
        if (host !== 'server01') throw new QuaysideError('HOST_UNKNOWN', 'No such host.', 'Look.');
        this.terminals.set(TERMINAL, learner);
        return { id: TERMINAL, host, title: host };
      },
      run: async ({ host, block }) => {
        note('run');
        return { id: 'r1', host, block, terminal: TERMINAL };
      },
      files: (host) => {
        note(`files ${host}`);
        return this.files;
      },
      closeTerminal: async (id) => {
        note('closeTerminal');
        terminal(id);
      },
      answer: async (id, text) => {
        note('answer');
        return { id, state: 'not-yet', reason: `Not ${text}.` };
      },
      visit: async (url) => {
        note('visit');
        return { id: 'v1', url, from: 'client', outcome: 'refused', milliseconds: 1 };
      },
    };
  }
  /** How many sandboxes are on each machine, where there are several. */
  nodes: Readonly<Record<string, number>> | undefined;
  figures() {
    const { nodes } = this;
    return {
      ...{ sessions: { ready: 2, ended: 1 }, sandboxes: 2, terminals: 6, stopped: 3, warm: 1 },
      ...(nodes && { nodes }),
    };
  }
  pane(key: string): BrowserPane | undefined {
    return this.panes.get(key);
  }
}

/** A web edge that listens on a port of its own, with everything behind it made up. */
export interface Stage extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly sessions: FakeSessions;
  readonly learners: FakeLearners;
  /** What the server's log says. */
  readonly log: readonly string[];
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Signs a browser in as a learner of its own and returns its `Cookie` header. */
  signIn(): Promise<string>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** As a page of this server would open it, but for what `headers` says otherwise. */
  socket(path: string, headers?: Record<string, string | undefined>): WebSocket;
}

export async function stage(
  options: Partial<Omit<WebOptions, 'sessions'>> & { readonly sessions?: FakeSessions } = {},
): Promise<Stage> {
  const sessions = options.sessions ?? new FakeSessions();
  const learners = new FakeLearners();
  const log: string[] = [];
  const empty = await mkdtemp(join(tmpdir(), 'quayside-web-'));
  const app = await buildWeb({
    sessions,
    background: new Background((name, error) => void log.push(`${name}: ${error}`)),
    learners,
    dist: join(empty, 'dist'),
    host: '127.0.0.1',
    port: 0,
    startToken: START_TOKEN,
    health: () => ({ ok: true }),
    log: { write: (line) => void log.push(line) },
    ...options,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const stageFetch = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(origin + path, { redirect: 'manual', ...init });
  return {
    app,
    sessions,
    learners,
    log,
    port,
    origin,
    fetch: stageFetch,
    signIn: async () => {
      const answer = await stageFetch(`/sign-in?token=${START_TOKEN}&learner=new`);
      return (answer.headers.getSetCookie()[0] ?? '').split(';', 1)[0] ?? '';
    },
    socket: (path, headers = {}) => {
      const merged = { origin, ...headers };
      return new WebSocket(`ws://127.0.0.1:${port}${path}`, {
        headers: Object.fromEntries(
          Object.entries(merged).filter((each): each is [string, string] => each[1] !== undefined),
        ),
      });
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await rm(empty, { recursive: true });
    },
  };
}

/** How an upgrade was refused: its HTTP status and error code. */
export async function refusalOfSocket(
  socket: WebSocket,
): Promise<{ status: number | undefined; code: string }> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate();
      reject(new Error('The socket was let in.'));
    });
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode, code: (JSON.parse(text) as { code: string }).code });
      });
    });
  });
}
