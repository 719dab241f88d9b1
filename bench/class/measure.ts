import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import type { ScriptedLearner } from './learner.ts';
import { busyPercent, percentile, ticks, usedMib } from './machine.ts';
import { openRoom } from './room.ts';
import { between, QUICK_MS, typeAway } from './typing.ts';

/** How long everybody at work types. */
const TYPING_MS = 10_000;
/** How long nobody does anything, to see what that costs. */
const STILL_MS = 5_000;
/** Steps that every other learner at work does while the rest types. */
const STEPS_DONE = 4;
/** A reader's pause between two steps, and the longest before the first. */
const PAUSE_MS = [500, 1_500] as const;
/** Starts from the pool that are measured: as many as stand ready, then as many again. */
const POOL_SIZE = 2;
const POOL_ROUNDS = 2;

/** What a class of one size came to. Times in ms. */
export interface Row {
  readonly learners: number;
  readonly active: number;
  readonly readyP50: number;
  readonly readyMost: number;
  readonly echoP50: number;
  readonly echoP99: number;
  readonly tickP50: number;
  readonly tickP95: number;
  readonly mibEach: number;
  readonly cpuStill: number;
  readonly cpuActive: number;
}

/** What is measured on: the lab, and what its pages ask for. */
export interface Subject {
  readonly name: string;
  readonly lab: Lab;
  readonly steps: readonly Step[];
}

/**
 * A class that starts at once, sits still, and then works: all type, then half of them do the lab's first steps while
 * the others go on typing.
 *
 * @param activeMost as many are at work at once; the others read
 */
export async function measureClass(
  count: number,
  activeMost: number,
  { name, lab, steps }: Subject,
): Promise<Row> {
  await using room = await openRoom({ learners: count, lab: name, pool: 0 });
  const before = usedMib();
  const ready = await Promise.all(room.learners.map((learner) => learner.start()));
  await delay(STILL_MS);
  const mibEach = (usedMib() - before) / count;
  const still = ticks();
  await delay(STILL_MS);
  const cpuStill = busyPercent(still, ticks());
  const active = room.learners.slice(0, activeMost);
  const echoes: number[] = [];
  const work = ticks();
  const enough = AbortSignal.timeout(TYPING_MS);
  await Promise.all(active.map((learner) => typeAway(learner, QUICK_MS, enough, echoes)));
  const cpuActive = busyPercent(work, ticks());
  const ticked = await stepsWhileOthersType(active, steps, lab, echoes);
  return {
    learners: count,
    active: active.length,
    readyP50: percentile(ready, 0.5),
    readyMost: Math.max(...ready),
    echoP50: percentile(echoes, 0.5),
    echoP99: percentile(echoes, 0.99),
    tickP50: percentile(ticked, 0.5),
    tickP95: percentile(ticked, 0.95),
    mibEach,
    cpuStill,
    cpuActive,
  };
}

/** @returns milliseconds from the press on Start to the prompt, for learners who find a sandbox ready */
export async function measurePool({ name }: Subject): Promise<readonly number[]> {
  const learners = POOL_SIZE * POOL_ROUNDS;
  await using room = await openRoom({ learners, lab: name, pool: POOL_SIZE });
  const times: number[] = [];
  for (const [index, learner] of room.learners.entries()) {
    if (index % POOL_SIZE === 0) await room.untilWarm();
    times.push(await learner.start());
  }
  return times;
}

/** @returns milliseconds from the end of a step's last deed to its tick */
async function stepsWhileOthersType(
  active: readonly ScriptedLearner[],
  steps: readonly Step[],
  lab: Lab,
  echoes: number[],
): Promise<readonly number[]> {
  const ticked: number[] = [];
  const done = new AbortController();
  const typing = active
    .filter((_, index) => index % 2 === 1)
    .map((learner) => typeAway(learner, QUICK_MS, done.signal, echoes));
  const doing = active
    .filter((_, index) => index % 2 === 0)
    .map(async (learner) => {
      for (const step of steps.slice(0, STEPS_DONE)) {
        await delay(between(PAUSE_MS));
        ticked.push(...(await learner.follow(step, lab)));
      }
    });
  try {
    await Promise.all(doing);
  } finally {
    done.abort();
    await Promise.all(typing);
  }
  return ticked;
}
