import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Lab } from '#lab';
import { loadSteps, type Step } from '#steps';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import { signIn } from '../client-driver/http.ts';
import { Learner } from '../client-driver/learner.ts';
import { failureHead, failureLine } from './failure.ts';
import { type Route, routesOf } from './plan.ts';
import type { Probe } from './probe.ts';
import { fiftyTimes, placesOf, unreachable } from './purity.ts';
import { type Place, Report } from './report.ts';
import { ScenarioWalk } from './scenario-walk.ts';
import { SANDBOXES_MOST, type TestServer } from './test-server.ts';

/** What a test of a lab consists of, by the words of `--only`. */
export const KINDS = ['written', 'wrong', 'other', 'hygiene', 'away'] as const;
export type Kind = (typeof KINDS)[number];

export interface LabTestOptions {
  readonly server: TestServer;
  /** The lab's folder name, as the server knows it. */
  readonly name: string;
  readonly lab: Lab;
  /** The folder with the lab's pages. */
  readonly directory: string;
  /** Only the steps of this page, or only the step of this id; what comes before them is done, and not looked at. */
  readonly page?: string | undefined;
  readonly step?: string | undefined;
  readonly kinds?: readonly Kind[];
  /** Bounds the sandboxes side by side; tests of several labs that run side by side have one of them. */
  readonly limit?: LimitFunction;
  /** How long (ms) a tick or a reason is waited for, where not as long as usual. */
  readonly patience?: number;
  /** Called in place of removing the hosts on which something failed. */
  readonly keep?: (title: string, sandbox: string) => Promise<void>;
  /** Once aborted, no further sandbox is begun. */
  readonly stopped?: AbortSignal;
  readonly progress?: (line: string) => void;
}

export interface LabTestResult {
  /** The steps that were asked for. */
  readonly steps: readonly Step[];
  readonly report: Report;
}

/** As many as a core carries: a walk mostly waits for one engine at a time, or for a container to have stayed up. */
const AT_ONCE_PER_CORE = 2;
/** Hosts that are taken away are waited for as long as this many steps take. */
const HYGIENE_STEPS = 8;
/** A sandbox is ready in two or three seconds; on a machine full of them it takes many times that. */
export const READY_MS = 120_000;
/** The checks of a fresh sandbox have answered long before. */
const RESET_MS = 30_000;

/** As many sandboxes side by side as this machine carries. */
export function sandboxesAtOnce(): LimitFunction {
  return pLimit(Math.min(AT_ONCE_PER_CORE * availableParallelism(), SANDBOXES_MOST));
}

/** Tests a lab by doing it, each run in a fresh sandbox. What fails is in the report; only defects of ours throw. */
export async function runLabTest(options: LabTestOptions): Promise<LabTestResult> {
  const { page, step, stopped, progress, limit = sandboxesAtOnce() } = options;
  const all = await loadSteps(options.directory, options.lab);
  const chosen = all.filter(
    (each) =>
      (page === undefined || each.page === page) && (step === undefined || each.id === step),
  );
  const report = new Report((failure) => progress?.(`✗ ${failureHead(failure)}`));
  await limit.map(planned(options, all, chosen), async ({ title, work }) => {
    if (stopped?.aborted) return;
    const from = performance.now();
    await inSandbox(options, title, report, work).catch((error: unknown) =>
      report.attempt(title, lastPlace(options, chosen), undefined, () => Promise.reject(error)),
    );
    progress?.(`${title}: ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  });
  return { steps: chosen, report };
}

/** A sandbox of a run's own, and the report of what is tried in it. */
interface Bench {
  readonly learner: Learner;
  readonly probe: Probe;
  readonly report: Report;
}

/** What is done in one sandbox. */
interface Run {
  readonly title: string;
  /** How long it takes, in steps: what takes longest begins first, so that nothing long is left for the end. */
  readonly steps: number;
  readonly work: (bench: Bench) => Promise<void>;
}

async function inSandbox(
  options: LabTestOptions,
  title: string,
  whole: Report,
  work: Run['work'],
): Promise<void> {
  const { server, keep } = options;
  using learner = await started(options);
  const probe = await server.probe(learner);
  const report = whole.part();
  const kept = await work({ learner, probe, report }).then(
    () => report.failures.length > 0,
    async (error: unknown) => {
      await keep?.(title, probe.sandbox);
      throw error;
    },
  );
  if (kept && keep) await keep(title, probe.sandbox);
  else await learner.end();
}

/** The runs of a test, the longest first. */
function planned(
  options: LabTestOptions,
  all: readonly Step[],
  chosen: readonly Step[],
): readonly Run[] {
  const { lab, kinds = KINDS } = options;
  const isWhole = options.page === undefined && options.step === undefined;
  const runs: Run[] = [];
  if (kinds.includes('written')) {
    runs.push({
      title: 'as written',
      steps: all.length,
      work: (bench) => runAsWritten(options, bench, all, chosen, isWhole),
    });
  }
  const scenarios = { wrong: kinds.includes('wrong'), other: kinds.includes('other') };
  const routes = routesOf(lab, all, chosen, scenarios);
  for (const route of routes) {
    const { title, stops } = route;
    runs.push({
      title,
      steps: stops.length,
      work: (bench) => runRoute(options, bench, route, chosen),
    });
  }
  if (isWhole && (kinds.includes('hygiene') || kinds.includes('away'))) {
    const work = (bench: Bench) => runPurity(options, bench, all);
    runs.push({ title: 'hygiene', steps: HYGIENE_STEPS, work });
  }
  return runs.toSorted((a, b) => b.steps - a.steps);
}

async function runAsWritten(
  options: LabTestOptions,
  bench: Bench,
  all: readonly Step[],
  chosen: readonly Step[],
  isWhole: boolean,
): Promise<void> {
  const { server, kinds = KINDS } = options;
  const { learner, probe, report } = bench;
  const walk = walkOn('as written', bench, options);
  const looksPure = isWhole && kinds.includes('hygiene');
  const lastCheck = chosen.findLast(({ checks }) => checks.length > 0);
  const verify = async (step: Step): Promise<boolean> => {
    const isDone = await walk.verify(step);
    // Before anything is tidied up: what has passed has to go on saying so.
    if (isDone && looksPure && step === lastCheck) {
      await fiftyTimes('fifty times, at the end', probe, placesOf(all), report);
    }
    return isDone;
  };
  const hasArrived = await walkTo(options, chosen, all, verify, walk);
  if (hasArrived && looksPure) {
    await report.attempt('reset', lastPlace(options, all), undefined, () =>
      resets(learner, server, probe),
    );
  }
}

function walkOn(run: string, bench: Bench, { patience, keep }: LabTestOptions): ScenarioWalk {
  return new ScenarioWalk({ run, ...bench, patience, leavesFailures: keep !== undefined });
}

/** After a reset every check is open again, and nothing of the old sandbox is left. */
async function resets(learner: Learner, server: TestServer, probe: Probe): Promise<void> {
  const { events } = learner;
  await learner.reset({ ms: READY_MS });
  for (const { id } of probe.lab.checks) {
    await events.until({
      ms: RESET_MS,
      what: `${id} to be not yet after a reset`,
      look: () => events.check(id).state === 'not-yet',
      seen: () => events.check(id).state,
    });
  }
  const left = await server.remainsOf(probe.sandbox);
  if (left.length > 0) throw new ExpectationFailed('nothing of the old sandbox', left.join(', '));
}

async function runPurity(
  options: LabTestOptions,
  { learner, probe, report }: Bench,
  all: readonly Step[],
): Promise<void> {
  const kinds = options.kinds ?? KINDS;
  if (kinds.includes('hygiene')) {
    await fiftyTimes('fifty times, at the start', probe, placesOf(all), report);
  }
  if (kinds.includes('away')) {
    await unreachable('hosts away', learner, probe, placesOf(all), report);
  }
}

/** Does a route, until a step on it does not pass. */
async function runRoute(
  options: LabTestOptions,
  bench: Bench,
  route: Route,
  chosen: readonly Step[],
): Promise<void> {
  const walk = walkOn('on the way', bench, options);
  for (const { step, hasMistakes, detour, isVerified } of route.stops) {
    if (!chosen.includes(step)) {
      await leaveBehind(options, step, walk);
      continue;
    }
    if (hasMistakes && !(await walk.tryMistakes(step))) break;
    if (!(await (isVerified ? walk.verify(step, detour) : walk.fastForward(step)))) break;
  }
}

/** Does a step that was not asked for, and says how it failed, which is no failure of those that were. */
async function leaveBehind(
  { progress }: LabTestOptions,
  step: Step,
  walk: ScenarioWalk,
): Promise<void> {
  const failure = await walk.leaveBehind(step);
  if (failure) progress?.(`· not looked at: ${failureLine(failure)}`);
}

/** The chosen steps one after the other, with all that comes before them done. `false`: one failed. */
async function walkTo(
  options: LabTestOptions,
  chosen: readonly Step[],
  all: readonly Step[],
  verify: (step: Step) => Promise<boolean>,
  walk: ScenarioWalk,
): Promise<boolean> {
  const last = chosen.at(-1);
  for (const step of all) {
    if (!chosen.includes(step)) await leaveBehind(options, step, walk);
    else if (!(await verify(step))) return false;
    if (step === last) break;
  }
  return true;
}

/** A learner of their own, whose hosts are ready. */
export async function started({
  server,
  name,
}: Pick<LabTestOptions, 'server' | 'name'>): Promise<Learner> {
  const learner = await Learner.open(await signIn(server.url), name);
  await learner.start({ ms: READY_MS });
  return learner;
}

function lastPlace({ directory }: LabTestOptions, steps: readonly Step[]): Place {
  const last = steps.at(-1);
  return last
    ? { id: last.id, file: last.file, line: last.line }
    : { id: 'lab', file: join(directory, 'lab.ts'), line: 1 };
}
