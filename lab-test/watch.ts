import { isDeepStrictEqual } from 'node:util';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import type { Learner } from '../client-driver/learner.ts';
import type { LabFolder } from '../server/labs/folders.ts';
import type { LabWatcherOptions } from '../server/labs/watcher.ts';
import { failureLine } from './failure.ts';
import { Report } from './report.ts';
import { READY_MS, started } from './run-lab-test.ts';
import { ScenarioWalk } from './scenario-walk.ts';
import type { TestServer } from './test-server.ts';

/** What is said where the hosts could not be made. */
const AGAIN = 'Save a file of the lab to try again.';

/** Whom a save is told. */
export type WatchTold = Omit<LabWatcherOptions, 'background'>;

export interface WatchOptions {
  readonly server: TestServer;
  readonly folder: LabFolder;
  readonly lab: Lab;
  readonly steps: readonly Step[];
  /** The step that is tried, whatever is changed; without it, the one that was changed last. */
  readonly step?: string | undefined;
  /** Begins to read the lab again at each save. */
  readonly watch: (told: WatchTold) => Disposable;
  readonly stopped: AbortSignal;
  readonly say: (line: string) => void;
}

/** The lab as it was saved last. */
interface Reading {
  readonly lab: Lab;
  readonly steps: readonly Step[];
}

/**
 * Tries one step whenever its lab is saved, as its page says and with its mistakes. The server stays, and a sandbox is kept
 * at the place before the step: a save waits for nothing but the step itself. Fresh hosts are made after it, for the next.
 */
export async function watchLab(options: WatchOptions): Promise<void> {
  const { server, folder, stopped } = options;
  const { name } = folder;
  // What ends because everything does is no news.
  const say = (line: string) => {
    if (!stopped.aborted) options.say(line);
  };
  let now: Reading = options;
  let saved = Promise.withResolvers<void>();
  stopped.addEventListener('abort', () => saved.resolve(), { once: true });
  using _watcher = options.watch({
    folders: () => [folder],
    onLab: (_name, lab, steps) => {
      const words = server.reload(name, lab, steps);
      if (words.includes('image')) say(words);
      now = { lab, steps };
      saved.resolve();
    },
    onBroken: (_name, error) => say((error as Error).message),
    onCourses: () => undefined,
    onBrokenCourse: (error) => say((error as Error).message),
  });
  using learner = await started({ server, name });
  /** Where the hosts are: before which step, and what they were made from. None once something was tried on them. */
  let place: { readonly before: string; readonly read: Reading } | undefined;
  let tried: Reading | undefined;
  let id = options.step;
  let isFresh = true;
  while (!stopped.aborted) {
    const read = now;
    const step = stepOf(read, options.step ?? changedStep(tried, read) ?? id);
    id = step.id;
    const isThere = place?.before === id && isDeepStrictEqual(place.read.lab.hosts, read.lab.hosts);
    // A step on the way that failed may be right as it is saved now.
    if (!isThere || (place?.read !== read && !areDone(learner, before(read, step)))) {
      const isBefore = await isBroughtTo({ ...options, say }, learner, before(read, step), isFresh);
      isFresh = false;
      place = isBefore ? { before: id, read } : undefined;
      // There are no hosts, which was told.
      if (!isBefore) tried = read;
    } else if (tried !== read) {
      tried = read;
      place = undefined;
      await tryStep({ ...options, say }, learner, step);
      continue;
    }
    if (tried !== now) continue;
    say(place ? `Ready for ${id}. Save a file of the lab to try it.` : AGAIN);
    await saved.promise;
    saved = Promise.withResolvers<void>();
  }
}

/** Does a step's mistakes, and then the step as its page says. */
async function tryStep(options: WatchOptions, learner: Learner, step: Step): Promise<void> {
  const { say } = options;
  const from = performance.now();
  const report = new Report((failure) => say(`✗ ${failureLine(failure)}`));
  const walk = await walkOn('as written', options, learner, report);
  await walk.tryMistakes(step);
  await walk.verify(step);
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  say(`${summaryOf(step, report)}, in ${seconds} s`);
}

/** What has come of a step that was tried: all that is right, or which of its ways failed. */
export function summaryOf({ id }: Pick<Step, 'id'>, { results, failures }: Report): string {
  const wrong = results.filter(({ run }) => run === 'wrong ways').length;
  if (failures.length === 0) return `✓ ${id}: as written, and ${wrong} wrong ways`;
  const failed = failures.map(({ run, way }) => (way === undefined ? run : `“${way}”`));
  return `✗ ${id}: ${failed.join(' and ')} failed, of ${results.length} ways`;
}

/**
 * Does steps on fresh hosts, to get to what comes after them. One that fails is told, and those after it are done all the
 * same. `false`: there are no fresh hosts, which was told.
 */
async function isBroughtTo(
  options: WatchOptions,
  learner: Learner,
  steps: readonly Step[],
  isFresh: boolean,
): Promise<boolean> {
  if (!isFresh) {
    const failed = await learner.reset({ ms: READY_MS }).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failed) {
      options.say(failed.message);
      return false;
    }
  }
  const walk = await walkOn('on the way', options, learner, new Report());
  for (const step of steps) {
    if (options.stopped.aborted) return false;
    const failure = await walk.leaveBehind(step);
    if (failure) options.say(`· not looked at: ${failureLine(failure)}`);
  }
  return true;
}

async function walkOn(
  run: string,
  { server }: WatchOptions,
  learner: Learner,
  report: Report,
): Promise<ScenarioWalk> {
  const probe = await server.probe(learner);
  return new ScenarioWalk({
    run,
    learner,
    probe,
    report,
    done: learner.events.passed,
  });
}

function stepOf({ steps }: Reading, id: string | undefined): Step {
  const step = steps.find((each) => each.id === id) ?? steps[0];
  if (!step) throw new Error('a lab without steps is watched');
  return step;
}

function before({ steps }: Reading, step: Step): readonly Step[] {
  return steps.slice(0, steps.indexOf(step));
}

function areDone({ events }: Learner, steps: readonly Step[]): boolean {
  return steps.every(({ checks }) => checks.every((id) => events.passed.includes(id)));
}

/** The first step that is another than before, as far as it can be told: what a helper was given cannot be seen in all. */
function changedStep(tried: Reading | undefined, read: Reading): string | undefined {
  if (!tried) return undefined;
  const old = new Map(tried.steps.map((step) => [step.id, writtenOf(tried.lab, step)]));
  return read.steps.find((step) => old.get(step.id) !== writtenOf(read.lab, step))?.id;
}

/** What a step asks for and what its checks are, as a text, without the lines at which it stands. */
function writtenOf(lab: Lab, { actions, checks }: Step): string {
  const definitions = lab.checks.filter(({ id }) => checks.includes(id));
  return JSON.stringify([actions, definitions], (key, value: unknown) => {
    if (key === 'line') return undefined;
    if (typeof value === 'function') return { code: String(value), ...value };
    return value instanceof RegExp || typeof value === 'symbol' ? String(value) : value;
  });
}
