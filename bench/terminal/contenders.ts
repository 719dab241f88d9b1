import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, ourClient, ptyClient, ttydClient, wettyClient } from './clients.ts';
import type { BenchHost } from './host.ts';
import type { Renderer } from './renderer.ts';
import { freePort, type WholeServer } from './whole-server.ts';

/** A server under test, once it runs. */
export interface Running extends AsyncDisposable {
  connect(renderer: Renderer): Promise<Client>;
  /** Where it listens; our-server.ts only. */
  readonly url?: string;
  /** Starts another with nothing to take up; the whole server only. */
  readonly measureStart?: WholeServer['measureStart'];
  /** Its process, whose descendants count as well; `undefined` where it is this very process. */
  readonly pid: number | undefined;
}

/** One way to get a terminal, on one kind of child. */
export interface Contender {
  readonly name: string;
  readonly child: 'host' | 'local';
  start(): Promise<Running>;
}

const PROJECT = resolve(import.meta.dirname, '../..');
const LOCAL = ['bash', '--norc', '--noprofile'] as const;

/**
 * Everybody who can be had here.
 *
 * @param project the folder of the checkout whose terminals are ours
 */
export function contenders(
  host: BenchHost | undefined,
  whole: WholeServer | undefined,
  peers: { readonly ttyd?: string; readonly wetty?: string },
  project = PROJECT,
): readonly Contender[] {
  const all: Contender[] = [];
  const inHost = whole && [
    'docker',
    '--host',
    whole.engine,
    'exec',
    '-it',
    whole.container,
    'bash',
  ];
  if (whole) {
    const { measureStart } = whole;
    const start = async () => ({ ...(await whole.start()), measureStart });
    all.push({ name: 'Quayside', child: 'host', start });
  }
  if (host) {
    const { shared: _, ...byEngine } = host;
    all.push({
      name: "Quayside, engine's way",
      child: 'host',
      start: () => ours(byEngine, project),
    });
  }
  all.push({ name: 'Quayside', child: 'local', start: () => ours(null, project) });
  for (const [child, command] of [
    ['host', inHost],
    ['local', LOCAL],
  ] as const) {
    if (!command) continue;
    const { ttyd, wetty } = peers;
    if (ttyd) all.push({ name: 'ttyd', child, start: () => startTtyd(ttyd, command) });
    if (wetty) all.push({ name: 'wetty', child, start: () => startWetty(wetty, command) });
    all.push({ name: 'bare node-pty', child, start: () => bare(command) });
  }
  return all;
}

async function ours(host: BenchHost | null, project: string): Promise<Running> {
  const child = fork(join(project, 'bench/terminal/our-server.ts'), [JSON.stringify(host)]);
  const [url] = (await once(child, 'message')) as [string];
  return { ...running(child, (renderer) => ourClient(url, renderer)), url };
}

async function startTtyd(path: string, command: readonly string[]): Promise<Running> {
  const port = await freePort();
  const args = ['-i', '127.0.0.1', '-p', String(port), '-W', ...command];
  const child = spawn(path, args, { stdio: 'ignore' });
  await untilListening(port);
  return running(child, (renderer) => ttydClient(`http://127.0.0.1:${port}`, renderer));
}

async function startWetty(path: string, command: readonly string[]): Promise<Running> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'bench-wetty-'));
  const script = join(directory, 'command');
  await writeFile(script, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')}\n`);
  await chmod(script, 0o755);
  const args = ['--host', '127.0.0.1', '--port', String(port), '--base', '/', '--command', script];
  const child = spawn(path, args, { stdio: 'ignore' });
  await untilListening(port);
  const it = running(child, (renderer) => wettyClient(`http://127.0.0.1:${port}`, renderer));
  return {
    ...it,
    [Symbol.asyncDispose]: async () => {
      await it[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function bare(command: readonly string[]): Promise<Running> {
  return {
    pid: undefined,
    connect: (renderer) => ptyClient(command, renderer),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function running(child: ChildProcess, connect: Running['connect']): Running {
  return {
    pid: child.pid,
    connect,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}
