import { execa } from 'execa';
import { ReadableError } from '../server/base/errors.ts';

/** Of what a program printed, for an error: its cause stands at the end. */
const LINES_SHOWN = 6;
/** A whole Debian takes a minute to unpack; on a machine that is busy with other things, many times that. */
const RUN_MS = 20 * 60_000;

/**
 * Runs a program of this machine to its end.
 *
 * @returns what it printed
 * @throws ReadableError with its last lines
 */
export async function run(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const [file = '', ...args] = argv;
  const { failed, all, shortMessage } = await execa(file, args, {
    ...{ stdin: 'ignore', all: true, reject: false, timeout: RUN_MS, cancelSignal: signal },
    env: { LC_ALL: 'C' },
  });
  if (!failed) return all;
  signal.throwIfAborted();
  const last = all.trim().split('\n').slice(-LINES_SHOWN).join(' ⏎ ');
  throw new ReadableError(
    `${shortMessage?.split('\n', 1)[0] ?? file}: ${last}`,
    `Try it by hand: ${argv.join(' ')}`,
  );
}
