import type { LabProgress, RosterLab, RosterLearner } from '#protocol';

export type Order = 'stuck' | 'progress' | 'name';

/** A step at which learners are, and how many. */
export interface Crowd {
  readonly step: RosterLab['steps'][number];
  readonly learners: number;
  /** Since when the first of them is at it. */
  readonly since: number;
}

/** Nobody is stuck who has been at a step for less than this (ms). */
export const STUCK_AFTER_MS = 5 * 60 * 1_000;

/** Raised hands first; then by what was asked for; people who come together in that by name. */
export function ordered(
  learners: Iterable<RosterLearner>,
  lab: RosterLab,
  order: Order,
): readonly RosterLearner[] {
  const byName = (a: RosterLearner, b: RosterLearner) =>
    a.name.localeCompare(b.name, undefined, { numeric: true });
  return [...learners].sort(
    (a, b) =>
      (order === 'stuck' ? hands(a, b) : 0) ||
      (order === 'stuck' ? sinceOf(a, lab.name) - sinceOf(b, lab.name) : 0) ||
      (order === 'progress' ? passedOf(a, lab) - passedOf(b, lab) : 0) ||
      byName(a, b),
  );
}

/** Who has been waiting longest comes first. */
function hands(a: RosterLearner, b: RosterLearner): number {
  const never = Number.MAX_SAFE_INTEGER;
  return (a.handAt ?? never) - (b.handAt ?? never);
}

/**
 * The lab that most of the class is at: has hosts in, or has passed steps of. The present one stays unless more are at
 * another, so that the table does not go back and forth.
 */
export function busiestLab(
  learners: Iterable<RosterLearner>,
  labs: readonly RosterLab[],
  present: RosterLab | undefined,
): RosterLab | undefined {
  const all = [...learners];
  const at = (lab: RosterLab) =>
    all.filter(({ labs: of }) => {
      const progress = of[lab.name];
      return (
        (progress?.state ?? 'none') !== 'none' || Object.keys(progress?.passed ?? {}).length > 0
      );
    }).length;
  let best = labs.find(({ name }) => name === present?.name) ?? labs[0];
  for (const lab of labs) if (best && at(lab) > at(best)) best = lab;
  return best;
}

function sinceOf({ labs }: RosterLearner, lab: string): number {
  return labs[lab]?.at?.since ?? Number.MAX_SAFE_INTEGER;
}

/** How many of the lab's steps they have passed: of those that count or, with `optional`, of the others. */
export function passedOf({ labs }: RosterLearner, lab: RosterLab, optional?: true): number {
  const passed = labs[lab.name]?.passed ?? {};
  return lab.steps.filter((step) => step.optional === optional && step.id in passed).length;
}

/** The steps at which most have been for longer than {@link STUCK_AFTER_MS}; the fullest first. */
export function crowds(
  learners: Iterable<RosterLearner>,
  lab: RosterLab,
  now: number,
): readonly Crowd[] {
  const at = new Map<string, number[]>();
  for (const { labs } of learners) {
    const where = labs[lab.name]?.at;
    if (!where || now - where.since < STUCK_AFTER_MS) continue;
    at.set(where.check, [...(at.get(where.check) ?? []), where.since]);
  }
  return lab.steps
    .flatMap((step) => {
      const since = at.get(step.id);
      return since ? [{ step, learners: since.length, since: Math.min(...since) }] : [];
    })
    .sort((a, b) => b.learners - a.learners || a.since - b.since);
}

/** "under a minute", "12 min", "1 h 5 min". */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'under a minute';
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "24 Nov", in the words of this browser. */
function day(at: number): string {
  return new Date(at).toLocaleDateString([], { day: 'numeric', month: 'short' });
}

/** What the hosts are doing, in a word or two. */
export function stateWord(progress: LabProgress | undefined): string {
  const state = progress?.state ?? 'none';
  if (state === 'ready' && progress?.hosts.some(({ phase }) => phase !== 'ready')) {
    const down = progress.hosts.filter(({ phase }) => phase !== 'ready').map(({ name }) => name);
    return `${down.join(', ')} down`;
  }
  if (progress?.stopped) return `stopped since ${day(progress.stopped.since)}`;
  return WORDS[state] ?? state;
}

const WORDS: Readonly<Record<string, string>> = {
  none: 'not started',
  queued: 'in the queue',
  starting: 'starting',
  ready: 'running',
  failed: 'failed',
  ended: 'ended',
};
