import { setTimeout as delay } from 'node:timers/promises';
import type { Learner } from '../../client-driver/learner.ts';

/** Between two keys of one learner (ms): a quick typist's pace, not in step with the others. */
export const QUICK_MS = [120, 360] as const;
/** Keys to a line, which is then taken back. */
const LINE_KEYS = 24;
const TAKE_BACK = '\u0015';

/**
 * Types away until told that it is enough.
 *
 * @param gap the shortest and the longest time between two keys, in ms
 * @param echoes takes the milliseconds from each key to its echo
 */
export async function typeAway(
  learner: Learner,
  gap: readonly [number, number],
  enough: AbortSignal,
  echoes: number[],
): Promise<void> {
  const terminal = await learner.terminal('server02');
  await terminal.prompt();
  for (let key = 1; !enough.aborted; key++) {
    await delay(between(gap));
    // The echo of taking the line back is as good as any.
    echoes.push(await terminal.echo(key % LINE_KEYS === 0 ? TAKE_BACK : 'x'));
  }
  terminal.type(TAKE_BACK);
}

/** Anything from the first to the second. */
export function between([least, most]: readonly [number, number]): number {
  return least + Math.random() * (most - least);
}
