import { setTimeout as delay } from 'node:timers/promises';
import { type Classroom, openClassroom } from '../../client-driver/classroom.ts';
import { LabWalk } from '../../client-driver/lab-walk.ts';
import type { Learner } from '../../client-driver/learner.ts';
import { busyPercent, percentile, ticks, usedMib } from './machine.ts';
import type { Subject } from './subject.ts';
import { between, QUICK_MS, typeAway } from './typing.ts';

/** How long everybody at work types. */
const TYPING_MS = 10_000;
/** How long nobody does anything, to see what that costs. */
const STILL_MS = 5_000;
/** The engines are awake once the machine has been less busy than that for so long; after the longest they are taken for it. */
const CALM_PERCENT = 40;
const CALM_MS = 2_000;
const CALM_WITHIN_MS = 90_000;
/** Steps that every other learner at work does while the rest types. */
const STEPS_DONE = 4;
/** A reader's pause between two steps, and the longest before the first. */
const PAUSE_MS = [500, 1_500] as const;
/** Starts from the pool that are measured: as many as stand ready, then as many again. */
const POOL_SIZE = 2;
const POOL_ROUNDS = 2;
/** How often the server is asked whether its pool is full, and how long it may take for one more (ms). */
const POOL_ASKED_EVERY_MS = 200;
const POOL_GROWS_WITHIN_MS = 120_000;

/** What a class of one size came to. Times in ms. */
export interface Row {
  readonly learners: number;
  readonly active: number;
  readonly readyP50: number;
  readonly readyMost: number;
  readonly echoP50: number;
  readonly echoP99: number;
  /** The same of the first keys: each wakes an engine, and all of the class type them at once. */
  readonly firstP99: number;
  readonly tickP50: number;
  readonly tickP95: number;
  readonly mibEach: number;
  readonly cpuStill: number;
  readonly cpuActive: number;
}

/**
 * A class that starts at once, sits still, and then works: all type their first keys; once their engines are awake all
 * type again, then half of them do the lab's first steps while the others go on typing.
 *
 * @param activeMost as many are at work at once; the others read
 */
export async function measureClass(
  count: number,
  activeMost: number,
  subject: Subject,
): Promise<Row> {
  const { name, project } = subject;
  await using classroom = await openClassroom({ learners: count, lab: name, project });
  return await measureClassroom(classroom, activeMost, subject);
}

/** The same of a class that has joined and has no hosts yet. */
export async function measureClassroom(
  classroom: Classroom,
  activeMost: number,
  subject: Subject,
): Promise<Row> {
  const count = classroom.learners.length;
  const before = usedMib();
  const ready = await Promise.all(classroom.learners.map(untilPrompt));
  await delay(STILL_MS);
  const mibEach = (usedMib() - before) / count;
  const still = ticks();
  await delay(STILL_MS);
  const cpuStill = busyPercent(still, ticks());
  const active = classroom.learners.slice(0, activeMost);
  const typing = async (): Promise<number[]> => {
    const echoes: number[] = [];
    const enough = AbortSignal.timeout(TYPING_MS);
    await Promise.all(active.map((learner) => typeAway(learner, QUICK_MS, enough, echoes)));
    return echoes;
  };
  const firstEchoes = await typing();
  await untilCalm();
  const work = ticks();
  const echoes = await typing();
  const cpuActive = busyPercent(work, ticks());
  const ticked = await stepsWhileOthersType(active, subject, echoes);
  return {
    learners: count,
    active: active.length,
    readyP50: percentile(ready, 0.5),
    readyMost: Math.max(...ready),
    echoP50: percentile(echoes, 0.5),
    echoP99: percentile(echoes, 0.99),
    firstP99: percentile(firstEchoes, 0.99),
    tickP50: percentile(ticked, 0.5),
    tickP95: percentile(ticked, 0.95),
    mibEach,
    cpuStill,
    cpuActive,
  };
}

/** Settles when the engines that were woken are awake. */
async function untilCalm(): Promise<void> {
  const until = performance.now() + CALM_WITHIN_MS;
  for (let busy = 100; busy > CALM_PERCENT && performance.now() < until; ) {
    const from = ticks();
    await delay(CALM_MS);
    busy = busyPercent(from, ticks());
  }
}

/** @returns milliseconds from the press on Start to the prompt, for learners who find a sandbox ready */
export async function measurePool({ name, project, labs }: Subject): Promise<readonly number[]> {
  const learners = POOL_SIZE * POOL_ROUNDS;
  // The pool keeps its number of each lab.
  const pooled = POOL_SIZE * labs;
  await using classroom = await openClassroom({
    learners,
    lab: name,
    pool: POOL_SIZE,
    sandboxes: learners + pooled,
    project,
  });
  const times: number[] = [];
  for (const [index, learner] of classroom.learners.entries()) {
    if (index % POOL_SIZE === 0) await untilWarm(learner, pooled);
    times.push(await untilPrompt(learner));
  }
  return times;
}

/** Presses Start. @returns milliseconds until the first host's prompt is there */
async function untilPrompt(learner: Learner): Promise<number> {
  const from = performance.now();
  await learner.start();
  const [first] = learner.events.terminals;
  await (await learner.terminal(first?.host ?? '')).prompt();
  return performance.now() - from;
}

/** Settles when as many sandboxes stand ready. They are made one after another. @throws Error where no more come */
async function untilWarm({ http }: Learner, count: number): Promise<void> {
  let most = 0;
  let until = performance.now() + POOL_GROWS_WITHIN_MS;
  for (;;) {
    const { text } = await http.send('GET', '/metrics');
    const warm = Number(/^quayside_sandboxes_warm (\d+)/m.exec(text)?.[1] ?? 0);
    if (warm >= count) return;
    if (warm > most) {
      most = warm;
      until = performance.now() + POOL_GROWS_WITHIN_MS;
    }
    if (performance.now() > until) throw new Error(`the pool has ${warm} of ${count} sandboxes`);
    await delay(POOL_ASKED_EVERY_MS);
  }
}

/** @returns milliseconds from the end of a step's last action to its tick */
async function stepsWhileOthersType(
  active: readonly Learner[],
  { steps, lab }: Subject,
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
      const walk = new LabWalk(learner, lab);
      for (const step of steps.slice(0, STEPS_DONE)) {
        await delay(between(PAUSE_MS));
        ticked.push(...(await walk.do(step)));
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
