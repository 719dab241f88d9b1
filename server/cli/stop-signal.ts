import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/**
 * One request to stop can arrive several times: Ctrl-C and service managers signal every process of a group, and npm and
 * `setup/run.mjs` pass on what they get. The copies come within some milliseconds. A person who presses twice takes longer than this.
 */
const SAME_REQUEST_MS = 300;
/** What a shell says of a process that a signal has ended: this and the signal's number. */
const ENDED_BY_SIGNAL = 128;

/** Aborted at the first Ctrl-C or request to end; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let first: number | undefined;
  for (const name of SIGNALS) {
    process.on(name, () => {
      first ??= performance.now();
      stop.abort();
      if (performance.now() - first < SAME_REQUEST_MS) return;
      process.exit(ENDED_BY_SIGNAL + constants.signals[name]);
    });
  }
  return stop.signal;
}
