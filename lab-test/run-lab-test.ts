import { join } from 'node:path';
import type { Lab } from '#lab';
import { loadSteps, type Step } from '#steps';
import { ExpectationFailed, failureLine } from './expectation-failed.ts';
import { Learner } from './learner.ts';
import { type Route, routesOf } from './plan.ts';
import { fiftyTimes, placesOf, unreachable } from './purity.ts';
import { Report } from './report.ts';
import { Walk } from './scenario-walk.ts';
import type { ProofServer } from './test-server.ts';

/** What a proof consists of. */
export const KINDS = ['written', 'wrong', 'other', 'hygiene', 'away'] as const;
export type Kind = (typeof KINDS)[number];

export interface ProofOptions {
  readonly server: ProofServer;
  /** The lab's folder name, as the server knows it. */
  readonly name: string;
  readonly lab: Lab;
  /** The folder with the lab's pages. */
  readonly directory: string;
  /** Only the steps of this page, or only the step of this id; what comes before them is done, and not looked at. */
  readonly page?: string | undefined;
  readonly step?: string | undefined;
  readonly kinds?: readonly Kind[];
  /** Sandboxes side by side. */
  readonly atOnce?: number;
  /** How long (ms) a tick or a reason is waited for, where not as long as usual. */
  readonly patience?: number;
  /** Once aborted, no further sandbox is begun. */
  readonly stopped?: AbortSignal;
  readonly say?: (line: string) => void;
}

export interface Proof {
  readonly steps: readonly Step[];
  readonly report: Report;
}

/** As many as two cores carry: a walk mostly waits for one engine at a time, or for a container to have stayed up. */
const AT_ONCE = 4;

/** Proves a lab by doing it, each way in a fresh sandbox. What fails is in the report; only defects of ours throw. */
export async function prove(options: ProofOptions): Promise<Proof> {
  const all = await loadSteps(options.directory, options.lab);
  const chosen = all.filter(
    ({ page, id }) =>
      (options.page === undefined || page === options.page) &&
      (options.step === undefined || id === options.step),
  );
  const report = new Report((failure) => options.say?.(`✗ ${failureLine(failure)}`));
  const runs = planned(options, all, chosen, report);
  await sideBySide(runs, options.atOnce ?? AT_ONCE, async (run) => {
    if (options.stopped?.aborted) return;
    const from = performance.now();
    await run
      .work()
      .catch((error: unknown) =>
        report.attempt(run.title, lastPlace(options, chosen), undefined, () =>
          Promise.reject(error),
        ),
      );
    options.say?.(`${run.title}: ${((performance.now() - from) / 1_000).toFixed(1)} s`);
  });
  return { steps: chosen, report };
}

interface Run {
  readonly title: string;
  readonly work: () => Promise<void>;
}

/** The runs of a proof, the longest first. */
function planned(
  options: ProofOptions,
  all: readonly Step[],
  chosen: readonly Step[],
  report: Report,
): readonly Run[] {
  const { lab, kinds = KINDS } = options;
  const whole = options.page === undefined && options.step === undefined;
  const runs: Run[] = [];
  if (kinds.includes('written')) {
    runs.push({ title: 'as written', work: () => asWritten(options, all, chosen, report, whole) });
  }
  const kindsOfWays = { wrong: kinds.includes('wrong'), other: kinds.includes('other') };
  const routes = routesOf(lab, all, chosen, kindsOfWays);
  for (const route of routes.toSorted((a, b) => b.stops.length - a.stops.length)) {
    runs.push({ title: route.title, work: () => gone(options, route, report) });
  }
  if (whole && (kinds.includes('hygiene') || kinds.includes('away'))) {
    runs.push({ title: 'hygiene', work: () => hygiene(options, all, report) });
  }
  return runs;
}

async function asWritten(
  options: ProofOptions,
  all: readonly Step[],
  chosen: readonly Step[],
  report: Report,
  whole: boolean,
): Promise<void> {
  const { server, lab } = options;
  using learner = await started(options);
  const probe = await server.probe(learner);
  const walk = new Walk('as written', learner, probe, report, options.patience);
  const hygienic = whole && (options.kinds ?? KINDS).includes('hygiene');
  const lastCheck = chosen.findLast(({ checks }) => checks.length > 0);
  const arrived = await walked(
    all,
    chosen,
    async (step) => {
      const done = await walk.prove(step);
      // Before anything is tidied up: what has passed has to go on saying so.
      if (done && hygienic && step === lastCheck) {
        await fiftyTimes('fifty times, at the end', probe, placesOf(all), report);
      }
      return done;
    },
    walk,
  );
  if (!arrived || !hygienic) return learner.end();
  await report.attempt('reset', lastPlace(options, all), undefined, async () => {
    await learner.reset();
    for (const { id } of lab.checks) {
      await learner.until(
        `${id} to be not yet after a reset`,
        RESET_MS,
        () => learner.check(id).state === 'not-yet' || undefined,
        () => learner.check(id).state,
      );
    }
    const left = await server.leftOf(probe.sandbox);
    if (left.length > 0) throw new ExpectationFailed('nothing of the old sandbox', left.join(', '));
  });
  await learner.end();
}

/** The checks of a fresh sandbox have answered long before. */
const RESET_MS = 30_000;

async function hygiene(options: ProofOptions, all: readonly Step[], report: Report): Promise<void> {
  using learner = await started(options);
  const probe = await options.server.probe(learner);
  const kinds = options.kinds ?? KINDS;
  if (kinds.includes('hygiene')) {
    await fiftyTimes('fifty times, at the start', probe, placesOf(all), report);
  }
  if (kinds.includes('away')) {
    await unreachable('hosts away', learner, probe, placesOf(all), report);
  }
  await learner.end();
}

/** Goes a route, until a step on it does not pass. */
async function gone(options: ProofOptions, route: Route, report: Report): Promise<void> {
  using learner = await started(options);
  const probe = await options.server.probe(learner);
  const walk = new Walk('on the way', learner, probe, report, options.patience);
  for (const { step, misled, detour, proven } of route.stops) {
    if (misled) await walk.mislead(step);
    if (!(await (proven ? walk.prove(step, detour) : walk.hurry(step)))) break;
  }
  await learner.end();
}

/** The chosen steps one after the other, with all that comes before them done. `false`: one failed. */
async function walked(
  all: readonly Step[],
  chosen: readonly Step[],
  go: (step: Step) => Promise<boolean>,
  walk: Walk,
): Promise<boolean> {
  const last = chosen.at(-1);
  for (const step of all) {
    const arrived = chosen.includes(step) ? await go(step) : await walk.hurry(step);
    if (!arrived) return false;
    if (step === last) break;
  }
  return true;
}

async function started({ server, name }: ProofOptions): Promise<Learner> {
  const learner = await Learner.signIn(server.url, name);
  await learner.start();
  return learner;
}

function lastPlace({ directory }: ProofOptions, steps: readonly Step[]) {
  const last = steps.at(-1);
  return last
    ? { id: last.id, file: last.file, line: last.line }
    : { id: 'lab', file: join(directory, 'lab.ts'), line: 1 };
}

async function sideBySide<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}
