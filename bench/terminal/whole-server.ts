import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalView } from '#protocol';
import { HttpClient, signIn } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { removeSandboxes } from '../../client-driver/server-process.ts';
import { findEngine } from '../../server/engine/find.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { type Client, quaysideClient } from './clients.ts';
import { residentKiB, treeOf } from './processes.ts';
import type { Renderer } from './renderer.ts';

const LAB = 'docker-networking';
const HOST = 'server01';
const READY_LINE = /^Quayside is ready: (\S+)$/;
/** What a server does after its ready line is over by then. */
const AT_REST_MS = 3_000;

/** A learner's host, kept from one server to the next as hosts are, and the servers that are started for it. */
export interface WholeServer extends AsyncDisposable {
  /** The engine and the container of the learner's host, for those who reach it by `docker exec`. */
  readonly engine: string;
  readonly container: string;
  /** Starts the server, which takes up the learner's host, and settles when that is ready. */
  start(): Promise<StartedServer>;
  /** Starts a server with nothing to take up: how long until its ready line, and what it weighs at rest. */
  measureStart(): Promise<{ readonly ms: number; readonly residentKiB: number }>;
}

/** The whole server, as `npm start` runs it. */
export interface StartedServer extends AsyncDisposable {
  readonly pid: number;
  connect(renderer: Renderer): Promise<Client>;
}

/** Starts a server and a sandbox for one learner. @param project the folder of the checkout whose server it is */
export async function openWholeServer(project: string): Promise<WholeServer> {
  await using opened = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'bench-terminal-'));
  opened.defer(() => rm(data, { recursive: true, force: true }));
  const engine = await findEngine(process.env, () => undefined);
  // The cookie's name has the port in it.
  const port = await freePort();
  await using first = await npmStart(project, data, port);
  opened.defer(async () => {
    await removeSandboxes({ data, project });
  });
  const { origin, cookie } = await signIn(first.url);
  const http = new HttpClient(origin, cookie);
  using learner = await Learner.open(http, LAB);
  await learner.start();
  const { id = '' } = learner.events.terminals.find(({ host }) => host === HOST) ?? {};
  // As docs/terminal-protocol.md says.
  const hosts = await engine.docker.listContainers({
    filters: { label: [`${LABEL.host}=${HOST}`] },
  });
  const isOurs = await Promise.all(
    hosts.map(async ({ Id }) => {
      const { Processes } = await engine.docker.getContainer(Id).top();
      return Processes.flat().join(' ').includes(`quayside-shell ${id}`);
    }),
  );
  const container = hosts.find((_, index) => isOurs[index])?.Id;
  if (container === undefined) throw new Error(`the learner's ${HOST} was not found`);
  const all = opened.move();
  return {
    engine: engine.address,
    container,
    start: async () => {
      const server = await npmStart(project, data, port);
      using again = await Learner.open(http, LAB);
      await again.start();
      return { ...server, connect: (renderer) => connect(http, renderer) };
    },
    measureStart: async () => {
      const empty = await mkdtemp(join(tmpdir(), 'bench-start-'));
      try {
        const begun = performance.now();
        await using server = await npmStart(project, empty, 0);
        const ms = performance.now() - begun;
        await delay(AT_REST_MS);
        return { ms, residentKiB: residentKiB(server.pid) };
      } finally {
        await rm(empty, { recursive: true });
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function connect(http: HttpClient, renderer: Renderer): Promise<Client> {
  const terminals = `/api/labs/${LAB}/terminals`;
  const { id } = await http.ask<TerminalView>('POST', terminals, { host: HOST });
  return quaysideClient(http.socket(`${terminals}/${id}`), renderer, async () => {
    await http.send('DELETE', `${terminals}/${id}`);
  });
}

/** `npm start`, less npm itself. */
async function npmStart(project: string, data: string, port: number) {
  const child = spawn('node', ['setup/run.mjs', 'server/main.ts'], {
    cwd: project,
    env: { ...process.env, QUAYSIDE_DATA: data, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    [, url] = READY_LINE.exec(line) ?? [];
    if (url !== undefined) break;
  }
  child.stdout.resume();
  // The server is the child of the program that starts it.
  const pid = treeOf(child.pid ?? 0)[1];
  if (url === undefined || pid === undefined) throw new Error('the server has not started');
  return {
    url,
    pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
