import { readFileSync } from 'node:fs';

const MIB = 1024 ** 2;
/** Left for the server, the engine and everything else on the machine. */
const RESERVE_BYTES = 768 * MIB;
/** What one sandbox takes once the engines of its hosts are awake (measured: 93 MiB), and some to work with. */
const SANDBOX_BYTES = 160 * MIB;

/** Whether this machine has memory for one more sandbox while `starting` are on their way to taking theirs. */
export function hasMemoryFor(starting: number, available = availableBytes()): boolean {
  return available === undefined || available >= RESERVE_BYTES + (starting + 1) * SANDBOX_BYTES;
}

/** As the kernel reckons it (`MemAvailable`, proc(5)); unknown on another system. */
function availableBytes(): number | undefined {
  try {
    const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
