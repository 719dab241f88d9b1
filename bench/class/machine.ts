import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** Processor time since the machine started, in ticks (`/proc/stat`, proc(5)). */
interface Ticks {
  readonly busy: number;
  readonly all: number;
}

/** What the machine does, as the kernel counts it. */
export function ticks(): Ticks {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  const busy = user + nice + system + rest.reduce((sum, each) => sum + each, 0);
  return { busy, all: busy + idle + wait };
}

/** Busy share of all cores between two looks, in per cent. */
export function busyPercent(before: Ticks, after: Ticks): number {
  return (100 * (after.busy - before.busy)) / Math.max(1, after.all - before.all);
}

/** Memory that is not to be had any more, in MiB. */
export function usedMib(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return (kib('MemTotal') - kib('MemAvailable')) / 1024;
}

/** The machine in one line. */
export function machine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${availableParallelism()} cores (${cpu?.model ?? 'unknown'}), ${gib} GiB, Linux ${release()}`;
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
