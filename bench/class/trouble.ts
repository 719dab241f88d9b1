import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Classroom, openClassroom } from '../../client-driver/classroom.ts';
import type { Learner } from '../../client-driver/learner.ts';
import { percentile } from './machine.ts';
import type { Subject } from './subject.ts';
import { TROUBLES } from './troubles.ts';
import { typeAway } from './typing.ts';

/** Learners who type while one makes trouble. */
const TYPISTS = 4;
/** Quicker than anybody types (ms): a 99th percentile wants some hundred keys. */
const GAP_MS = [30, 90] as const;
const TYPING_MS = 8_000;
/** Between two looks at the server's health and memory (ms). */
const LOOK_GAP_MS = 100;
/** A health check that has no answer by then has failed (ms). */
const HEALTH_MS = 5_000;
/** After a trouble its programs go; their end is no part of the quiet before the next (ms). */
const SETTLES_MS = 2_000;

/** What the others and an operator see for some seconds. */
interface Sample {
  /** Milliseconds from a key to its echo. */
  readonly echoes: number[];
  /** Milliseconds until `/healthz` answered. */
  readonly healthy: number[];
  healthFailed: number;
  /** The server's memory (MiB). */
  rssMost: number;
}

/** The same quiet and beside one trouble. */
export interface Beside {
  readonly trouble: string;
  readonly quiet: Sample;
  readonly beside: Sample;
}

/** Some learners type; one makes each trouble in turn, with a quiet time of the same length before each. */
export async function measureTrouble(
  { name, project }: Subject,
  { rounds, only }: { readonly rounds: number; readonly only: RegExp },
): Promise<readonly Beside[]> {
  await using classroom = await openClassroom({
    learners: TYPISTS,
    sandboxes: TYPISTS + 1,
    lab: name,
    project,
  });
  const [eve] = await Promise.all([
    Troublemaker.join(classroom.server.url, name),
    ...classroom.learners.map((learner) => learner.start()),
  ]);
  using _eve = eve;
  const rows = Object.keys(TROUBLES)
    .filter((trouble) => only.test(trouble))
    .map((trouble): Beside => ({ trouble, quiet: nothingYet(), beside: nothingYet() }));
  for (let round = 1; round <= rounds; round++) {
    for (const { trouble, quiet, beside } of rows) {
      console.log(`round ${round}: ${trouble}`);
      await look(classroom, quiet);
      const over = eve.make(trouble);
      await over.begun;
      await look(classroom, beside);
      await over.ended;
      await delay(SETTLES_MS);
    }
  }
  return rows;
}

/** The figures of a table's row. */
export function figuresOf({ trouble, quiet, beside }: Beside) {
  const of = ({ echoes, healthy, healthFailed, rssMost }: Sample) => ({
    p50: percentile(echoes, 0.5),
    p99: percentile(echoes, 0.99),
    health: percentile(healthy, 0.99),
    failed: `${healthFailed} of ${healthy.length + healthFailed}`,
    rssMost,
  });
  return { trouble, quiet: of(quiet), beside: of(beside) };
}

function nothingYet(): Sample {
  return { echoes: [], healthy: [], healthFailed: 0, rssMost: 0 };
}

async function look({ server, learners }: Classroom, sample: Sample): Promise<void> {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), TYPING_MS);
  const [first] = learners;
  await Promise.all([
    ...learners.map((learner) => typeAway(learner, GAP_MS, enough.signal, sample.echoes)),
    first && watchHealth(first, enough.signal, sample),
    watchMemory(server.child, enough.signal, sample),
  ]);
  clearTimeout(timer);
}

async function watchHealth({ http }: Learner, enough: AbortSignal, sample: Sample): Promise<void> {
  while (!enough.aborted) {
    const from = performance.now();
    const late = delay(HEALTH_MS, undefined, { ref: false });
    const asked = http.send('GET', '/healthz').catch(() => undefined);
    const answer = await Promise.race([asked, late]);
    if (answer?.status === 200) sample.healthy.push(performance.now() - from);
    else sample.healthFailed += 1;
    await delay(LOOK_GAP_MS);
  }
}

async function watchMemory(
  { pid }: ChildProcess,
  enough: AbortSignal,
  sample: Sample,
): Promise<void> {
  while (!enough.aborted) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    sample.rssMost = Math.max(sample.rssMost, kib / 1024);
    await delay(LOOK_GAP_MS);
  }
}

/** The learner who makes trouble. */
class Troublemaker implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Settles when they have hosts. */
  static async join(url: string, lab: string): Promise<Troublemaker> {
    const eve = new Troublemaker(
      fork(join(import.meta.dirname, 'troublemaker.ts'), [url, lab], {
        execArgv: ['--disable-warning=ExperimentalWarning'],
      }),
    );
    await eve.#told('over');
    return eve;
  }

  make(trouble: string): { readonly begun: Promise<void>; readonly ended: Promise<void> } {
    const begun = this.#told('begun');
    const ended = this.#told('over');
    // A failure is told by whichever is awaited.
    ended.catch(() => undefined);
    this.#child.send(trouble);
    return { begun, ended };
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }

  #told(kind: 'begun' | 'over'): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => {
      this.#child.off('message', onMessage);
      this.#child.off('exit', onExit);
    };
    const onMessage = (message: { readonly kind: string; readonly why?: string }) => {
      if (message.kind === kind) resolve();
      else if (message.kind === 'failed') reject(new Error(message.why));
      else return;
      stop();
    };
    const onExit = () => {
      stop();
      reject(new Error('the one who makes trouble has ended'));
    };
    this.#child.on('message', onMessage);
    this.#child.once('exit', onExit);
    return promise;
  }
}
