import { setTimeout as delay } from 'node:timers/promises';
import { fillIn, type Lab } from '#lab';
import type { CheckView, Fix, GuideAction } from '#protocol';
import type { Deed, Step } from '#steps';
import { pageText, readOff, terminalText } from '../labs/screen-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { commandLines } from './command-lines.ts';
import { GuideStopped, unlessAborted } from './guide-stopped.ts';
import type { LearnerActions } from './learner-actions.ts';
import { isFree, promptOf, runCommand } from './run-command.ts';

/** A check that looks whether something stays takes a second or two; by now the work has not done what it should. */
const CHECKS_MS = 20_000;
/** A page that was not there yet, and a value that was still the old one, are tried again so often (ms). */
const AGAIN_MS = 1_000;
/** As much of what a failed command printed as is worth repeating. */
const COMPLAINT_CHARACTERS = 200;

/** A command that still runs so long after its step has ticked is one that stays: a server in the foreground. */
const STAYS_MS = 3_000;
const NEVER = new Promise<void>(() => undefined);

/** What is the same for all steps of one job. */
export interface Job {
  readonly lab: Lab;
  readonly ground: LearnerActions;
  /** Between two keys, in ms; 0 for no time at all. */
  readonly keyMs: number;
  readonly signal: AbortSignal;
  /** Told what is being done, in the present tense. */
  readonly tell: (says: string, deed?: GuideAction) => void;
}

/** What a learner has in front of them: the text of the last command's output or of the last page. */
export interface LastOutput {
  text: string;
}

/**
 * Does what a step asks for, in the learner's own terminals and browser pane, and settles when its checks have passed.
 *
 * @throws Stopped when a command fails, a question has no answer on the screen or a check does not pass
 */
export async function runStep(job: Job, step: Step, sight: LastOutput): Promise<void> {
  using standing = watchChecks(job.ground, step.checks);
  try {
    await doAll(job, step.actions, sight, standing.passed);
    await untilPassed(job, step, sight, standing);
  } catch (error) {
    const fix = job.signal.aborted ? undefined : fixFor(job.ground, step);
    if (!(error instanceof CommandFailed || error instanceof NotTicked) || !fix) throw error;
    // A mistake that the lab knows lies in the way: its own way out first, and then once more.
    await run(job, fix.host, fix.command, sight, standing.passed);
    if (!standing.isPassed()) await doAll(job, step.actions, sight, standing.passed);
    await untilPassed(job, step, sight, standing);
  }
}

/** A command of the step ended with a failure. */
class CommandFailed extends GuideStopped {}
/** Everything was done, and a check still says no. */
class NotTicked extends GuideStopped {}

async function doAll(
  job: Job,
  deeds: readonly Deed[],
  sight: LastOutput,
  passed: Promise<void>,
): Promise<void> {
  const lastRun = deeds.findLast(({ kind }) => kind === 'run');
  for (const deed of deeds) {
    job.signal.throwIfAborted();
    switch (deed.kind) {
      case 'run':
        await run(job, deed.host, deed.command, sight, deed === lastRun ? passed : NEVER);
        break;
      case 'open':
        await open(job, deed.url, sight);
        break;
      case 'answer':
        await answer(job, deed.check, sight);
        break;
      default:
        deed satisfies never;
    }
  }
}

async function run(
  job: Job,
  host: string,
  block: string,
  sight: LastOutput,
  passed: Promise<void>,
): Promise<void> {
  const { ground, keyMs, signal, tell } = job;
  const command = await filledIn(job, block);
  sight.text = '';
  const lines = commandLines(command);
  for (const [index, line] of lines.entries()) {
    const done = index === lines.length - 1 ? passed.then(() => delay(STAYS_MS)) : NEVER;
    tell(`Typing \`${line}\` on ${host}`);
    const terminal = await freeTerminal(ground, host, signal);
    tell(`Typing \`${line}\` on ${host}`, { kind: 'run', host, terminal: terminal.id });
    const typed = await runCommand(terminal, line, { keyMs, done, signal });
    const output = terminalText(typed.output);
    sight.text += output;
    if (typed.interrupted) throw new GuideStopped('You stopped it with Ctrl-C.', GO_ON);
    if (typed.status !== undefined && typed.status !== 0) {
      throw new CommandFailed(complaint(line, host, typed.status, output), GO_ON);
    }
  }
}

async function open(
  { ground, tell, ...job }: Job,
  written: string,
  sight: LastOutput,
): Promise<void> {
  const url = await filledIn({ ground, ...job }, written);
  tell(`Opening \`${url}\` in the browser`, { kind: 'open', url });
  const { visit, html } = await unlessAborted(ground.visit(url), job.signal);
  sight.text = pageText(html);
  tell(`Opened \`${url}\` in the browser`, { kind: 'open', url, visit });
}

async function answer({ lab, ground, tell }: Job, id: string, sight: LastOutput): Promise<void> {
  const check = lab.checks.find((each) => each.id === id);
  const text = check?.reads && readOff(check.reads, sight.text);
  const question = check?.question ?? check?.title ?? id;
  if (text === undefined) {
    throw new GuideStopped(
      `The answer to “${question}” does not stand on the screen.`,
      'Do the step before it first, or read it off by yourself.',
    );
  }
  tell(`Answering \`${text}\``, { kind: 'answer', check: id });
  await ground.answer(id, text);
}

/**
 * Waits for the checks. A page that was opened before it was there, and an address that was the old one, are tried
 * again, as a person would.
 */
async function untilPassed(
  job: Job,
  step: Step,
  sight: LastOutput,
  { passed, isPassed }: Standing,
): Promise<void> {
  const late = AbortSignal.timeout(CHECKS_MS);
  const last = step.actions.at(-1);
  while (!isPassed()) {
    job.tell('Waiting for the step to tick');
    await unlessAborted(
      Promise.race([passed, delay(AGAIN_MS, undefined, { ref: false })]),
      job.signal,
    );
    if (isPassed()) return;
    if (late.aborted) throw notTicked(job, step);
    if (last?.kind === 'open') await open(job, last.url, sight);
  }
}

function notTicked({ lab, ground }: Job, step: Step): NotTicked {
  const open = ground
    .checks()
    .find(({ id, state }) => step.checks.includes(id) && state !== 'passed');
  const title = lab.checks.find(({ id }) => id === open?.id)?.title ?? 'The step';
  const reason = open && open.state !== 'passed' ? `: ${open.reason}` : '.';
  return new NotTicked(`All was done, but “${title}” does not tick${reason}`, GO_ON);
}

const GO_ON =
  'Nothing is undone. Mend it by yourself, or use Start from here for hosts on which all steps before are done.';

/** A terminal of the host where nothing runs and nothing is half typed: one of the learner's own, or a new one. */
async function freeTerminal(
  ground: LearnerActions,
  host: string,
  signal: AbortSignal,
): Promise<Terminal> {
  const there = ground.terminals(host);
  const free = there.find(isFree);
  if (free) return free;
  // One that has only just been opened is on its way to its prompt.
  const coming = there.find(({ prompt, head }) => prompt === 'none' && head === 0);
  if (coming && (await promptOf(coming, signal))) return coming;
  const fresh = await unlessAborted(ground.openTerminal(host), signal);
  if (await promptOf(fresh, signal)) return fresh;
  throw new GuideStopped(`${host} shows no prompt.`, 'Look at its terminal, or reset the lab.');
}

/** Puts the hosts' own numbers in the place of `{value-id}`; one that is not there yet is waited for a little. */
async function filledIn(
  { ground, signal }: Pick<Job, 'ground' | 'signal'>,
  text: string,
): Promise<string> {
  if (!text.includes('{')) return text;
  for (
    const late = AbortSignal.timeout(CHECKS_MS);
    ;
    await delay(AGAIN_MS, undefined, { signal })
  ) {
    const values = await ground.values();
    try {
      return fillIn(text, new Map(values.map((value) => [value.id, value.text])));
    } catch (error) {
      if (late.aborted) {
        throw new GuideStopped(
          `It needs something that the hosts do not have yet: ${(error as Error).message}.`,
          'Do the steps before this one first, or use Start from here.',
        );
      }
    }
  }
}

/** Where a step's checks stand. */
interface Standing {
  /** Settles when the last of them passes; never where there was nothing left to pass. */
  readonly passed: Promise<void>;
  isPassed(): boolean;
}

function watchChecks(ground: LearnerActions, ids: readonly string[]): Standing & Disposable {
  const isPassed = (): boolean => ids.every((id) => isPassedIn(ground.checks(), id));
  const passed = Promise.withResolvers<void>();
  const wasPassed = isPassed();
  const heard = ground.onChecks(() => {
    if (!wasPassed && isPassed()) passed.resolve();
  });
  return { passed: passed.promise, isPassed, [Symbol.dispose]: () => heard[Symbol.dispose]() };
}

function isPassedIn(checks: readonly CheckView[], id: string): boolean {
  return checks.some((check) => check.id === id && check.state === 'passed');
}

function fixFor(ground: LearnerActions, step: Step): Fix | undefined {
  for (const check of ground.checks()) {
    if (check.state === 'not-yet' && check.wayOut && step.checks.includes(check.id)) {
      return check.wayOut;
    }
  }
  return undefined;
}

function complaint(line: string, host: string, status: number, output: string): string {
  const said = output.trim().split('\n').at(-1)?.slice(0, COMPLAINT_CHARACTERS) ?? '';
  return `\`${line}\` on ${host} ended with status ${status}${said === '' ? '.' : `: ${said}`}`;
}
