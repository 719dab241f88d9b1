import { readFileSync, writeFileSync } from 'node:fs';

/** The kernel's weight for everything that was started from one terminal or service (sched(7), "autogroup"). */
const AUTOGROUP = '/proc/self/autogroup';
/**
 * Some nine times the weight of any other. A class's server needs a fifth of a core, in moments; hosts that all start
 * containers at once take the rest of the machine either way.
 */
const NICE = -10;

/**
 * Lets this process go before the machine's other work until it is disposed of. With fifty learners, half of whom do
 * steps, the echo's 99th percentile is 133 to 158 ms so and 419 to 1,054 ms without (docs/decisions/0019-turns.md).
 *
 * It holds for the process's whole session (setsid(2)), which for a server started by hand is its terminal window. It
 * needs root or CAP_SYS_NICE, and a kernel that groups so; elsewhere, and where the session goes before others already,
 * nothing is changed.
 */
export function takePriority(): Disposable {
  const before = sessionNice();
  const taken = before !== undefined && before > NICE && setSessionNice(NICE);
  return {
    [Symbol.dispose]: () => {
      if (taken) setSessionNice(before);
    },
  };
}

function sessionNice(): number | undefined {
  try {
    const [, nice] = / nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8')) ?? [];
    return nice === undefined ? undefined : Number(nice);
  } catch {
    return undefined;
  }
}

function setSessionNice(nice: number): boolean {
  try {
    writeFileSync(AUTOGROUP, String(nice));
    return true;
  } catch {
    // Not ours to set: the class is served all the same.
    return false;
  }
}
