import type { NodeView } from '#protocol';

/** How a machine is, for the instructor. */
export const STATE_WORDS: Readonly<Record<NodeView['state'], string>> = {
  ready: 'in service',
  preparing: 'gets its images',
  drained: 'out of service',
  lost: 'does not answer',
};

/** The mark before the words: that of the hosts of a learner who is likewise. */
export const STATE_MARKS: Readonly<Record<NodeView['state'], string>> = {
  ready: 'ready',
  preparing: 'starting',
  drained: 'none',
  lost: 'failed',
};

export function learnersText(learners: number): string {
  return `${learners} ${learners === 1 ? 'learner' : 'learners'}`;
}

/** What room is left on a machine. */
export function roomText(room: number): string {
  return room === 0 ? 'no room' : `room for ${room} more`;
}

/**
 * What a drain does, to be read before it.
 *
 * @param room how many more sandboxes the other machines can have now
 */
export function drainText({ learners }: NodeView, room: number): string {
  if (learners === 0) return 'No learner is at work on it. It gets none until you take it back.';
  const who = learners === 1 ? 'Its learner gets' : `Its ${learnersText(learners)} get`;
  const what = `${who} fresh hosts on another machine; what they passed is done again for them, and what else they made there is gone.`;
  if (room >= learners) return what;
  const wait = 'whoever finds none waits until there is some.';
  return room === 0
    ? `${what} No other machine has room now: they wait until one has.`
    : `${what} The other machines have room for ${room}: ${wait}`;
}
