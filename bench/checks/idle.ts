import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../server/engine/engine.ts';
import { LABEL } from '../../server/sandbox/labels.ts';

/** Long enough that one odd turn does not make the figure. */
const WATCHED_MS = 20_000;
/** Linux's USER_HZ, for all architectures that we run on. */
const TICKS_A_SECOND = 100;

/** What is spent, in percent of one core. */
export interface Spent {
  /** The server's process. */
  readonly server: number;
  /** The engine's daemon and its containerd. */
  readonly engine: number;
  /** Everything inside the sandboxes' own containers, engines of hosts included. */
  readonly hosts: number;
}

/** What the server and the engine spend while nobody does anything. */
export async function spentIdle(
  engine: Engine,
  instance: string,
  server: number,
  daemons: readonly number[],
): Promise<Spent> {
  const look = async () => ({
    server: await cpuSeconds([server]),
    engine: await cpuSeconds(daemons),
    hosts: await hostSeconds(engine, instance),
    at: performance.now(),
  });
  const before = await look();
  await delay(WATCHED_MS);
  const after = await look();
  const seconds = (after.at - before.at) / 1000;
  const percent = (what: 'server' | 'engine' | 'hosts') =>
    ((after[what] - before[what]) / seconds) * 100;
  return { server: percent('server'), engine: percent('engine'), hosts: percent('hosts') };
}

async function cpuSeconds(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_A_SECOND;
    }),
  );
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

async function hostSeconds(engine: Engine, instance: string): Promise<number> {
  const containers = await engine.docker.listContainers({
    filters: { label: [`${LABEL.instance}=${instance}`] },
  });
  const each = await Promise.all(
    containers.map(async ({ Id }) => {
      const stats = await engine.docker.getContainer(Id).stats({ stream: false, 'one-shot': true });
      return stats.cpu_stats.cpu_usage.total_usage / 1e9;
    }),
  );
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

/** The daemons of this machine's own engines: those of hosts run in a process namespace of their own. */
export async function engineProcesses(): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const statuses = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      status: await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
    })),
  );
  return statuses
    .filter(({ status }) => /^Name:\s+(dockerd|containerd)$/m.test(status))
    .filter(({ status }) => /^NSpid:\s+\d+$/m.test(status))
    .map(({ pid }) => pid);
}
