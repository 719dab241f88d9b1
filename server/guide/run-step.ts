import { fillIn, type Lab } from '#lab';
import type { CheckView, Fix, GuideAction } from '#protocol';
import type { Step, StepAction } from '#steps';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { pageText, readOff, terminalText } from '../labs/screen-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { commandLines } from './command-lines.ts';
import { GuideStopped } from './guide-stopped.ts';
import type { LearnerActions } from './learner-actions.ts';
import { isFree, promptOf, runCommand } from './run-command.ts';

/** A check that looks whether something stays takes a second or two; by now the work has not done what it should. */
const CHECKS_MS = 20_000;
/** A page that was not there yet, and a value that was still the old one, are tried again so often (ms). */
const AGAIN_MS = 1_000;
/** As much of what a failed command printed as is worth repeating. */
const COMPLAINT_CHARACTERS = 200;
/** Of what a block's commands have printed, the end is kept: an answer stands on the last screens. */
const SCREEN_CHARACTERS = 64 * 1024;

/** What is the same for all steps of one job. */
export interface Job {
  readonly lab: Lab;
  readonly learner: LearnerActions;
  /** Between two keys, in ms; 0 for no time at all. */
  readonly keyMs: number;
  readonly signal: AbortSignal;
  /** Told what is being done, in the present tense. */
  readonly tell: (says: string, action?: GuideAction) => void;
}

/** What a learner has in front of them: the text of the last command's output or of the last page. */
export interface LastOutput {
  text: string;
}

/**
 * Does what a step asks for, in the learner's own terminals and browser pane, and settles when its checks have passed.
 *
 * @throws GuideStopped when a command fails, a question has no answer on the screen or a check does not pass
 */
export async function runStep(job: Job, step: Step, last: LastOutput): Promise<void> {
  using checks = watchChecks(job.learner, step.checks);
  try {
    await runAll(job, step.actions, last, checks.passed);
    await untilPassed(job, step, last, checks);
  } catch (error) {
    const fix = job.signal.aborted ? undefined : fixFor(job.learner, step);
    if (!(error instanceof CommandFailed || error instanceof NotTicked) || !fix) throw error;
    // A mistake that the lab knows stands in the way: its own fix first, and then once more.
    await run(job, fix.host, fix.command, last, checks.passed);
    if (!checks.arePassed()) await runAll(job, step.actions, last, checks.passed);
    await untilPassed(job, step, last, checks);
  }
}

/** A command of the step ended with a failure. */
class CommandFailed extends GuideStopped {}
/** Everything was done, and a check still says no. */
class NotTicked extends GuideStopped {}

async function runAll(
  job: Job,
  actions: readonly StepAction[],
  last: LastOutput,
  passed: Promise<void>,
): Promise<void> {
  const lastRun = actions.findLast(({ kind }) => kind === 'run');
  for (const action of actions) {
    job.signal.throwIfAborted();
    switch (action.kind) {
      case 'run': {
        const ticked = action === lastRun ? passed : undefined;
        await run(job, action.host, action.command, last, ticked);
        break;
      }
      case 'open':
        await open(job, action.url, last);
        break;
      case 'answer':
        await answer(job, action.check, last);
        break;
      default:
        action satisfies never;
    }
  }
}

async function run(
  job: Job,
  host: string,
  block: string,
  last: LastOutput,
  passed: Promise<void> | undefined,
): Promise<void> {
  const { learner, keyMs, signal, tell } = job;
  const command = await filledIn(job, block);
  last.text = '';
  const lines = commandLines(command);
  for (const [index, line] of lines.entries()) {
    const ticked = index === lines.length - 1 ? passed : undefined;
    tell(`Typing \`${line}\` on ${host}`);
    const terminal = await freeTerminal(learner, host, signal);
    tell(`Typing \`${line}\` on ${host}`, { kind: 'run', host, terminal: terminal.id });
    const { status, interrupted, ...ran } = await runCommand(terminal, line, {
      keyMs,
      ticked,
      signal,
    });
    const output = terminalText(ran.output);
    last.text = (last.text + output).slice(-SCREEN_CHARACTERS);
    if (interrupted) throw new GuideStopped('You stopped it with Ctrl-C.', GO_ON);
    if (status !== undefined && status !== 0) {
      throw new CommandFailed(complaint(line, host, status, output), GO_ON);
    }
  }
}

async function open(job: Job, written: string, last: LastOutput): Promise<void> {
  const { learner, signal, tell } = job;
  const url = await filledIn(job, written);
  tell(`Opening \`${url}\` in the browser`, { kind: 'open', url });
  const { visit, html } = await withAbort(signal, () => learner.visit(url));
  last.text = await pageText(html);
  tell(`Opened \`${url}\` in the browser`, { kind: 'open', url, visit });
}

async function answer(
  { lab, learner, signal, tell }: Job,
  id: string,
  last: LastOutput,
): Promise<void> {
  const check = lab.checks.find((each) => each.id === id);
  const text = check?.reads && readOff(check.reads, last.text);
  const question = check?.question ?? check?.title ?? id;
  if (text === undefined) {
    throw new GuideStopped(
      `The answer to “${question}” does not stand on the screen.`,
      'Do the step before it first, or read it off by yourself.',
    );
  }
  tell(`Answering \`${text}\``, { kind: 'answer', check: id });
  await withAbort(signal, () => learner.answer(id, text));
}

/**
 * Waits for the checks. A page that was opened before it was there, and an address that was the old one, are tried
 * again, as a person would.
 */
async function untilPassed(
  job: Job,
  step: Step,
  last: LastOutput,
  { passed, arePassed }: WatchedChecks,
): Promise<void> {
  using late = deadline(CHECKS_MS);
  const lastAction = step.actions.at(-1);
  while (!arePassed()) {
    job.tell('Waiting for the step to tick');
    await withAbort(job.signal, () => Promise.race([passed, sleep(AGAIN_MS, job.signal)]));
    if (arePassed()) return;
    if (late.signal.aborted) throw notTicked(job, step);
    if (lastAction?.kind === 'open') await open(job, lastAction.url, last);
  }
}

function notTicked({ lab, learner }: Job, step: Step): NotTicked {
  const open = learner
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
  learner: LearnerActions,
  host: string,
  signal: AbortSignal,
): Promise<Terminal> {
  const there = learner.terminals(host);
  const free = there.find(isFree);
  if (free) return free;
  // One that has only just been opened is on its way to its prompt.
  const coming = there.find(({ prompt, head }) => prompt === 'none' && head === 0);
  if (coming && (await promptOf(coming, signal))) return coming;
  const fresh = await withAbort(signal, () => learner.openTerminal(host));
  if (await promptOf(fresh, signal)) return fresh;
  throw new GuideStopped(`${host} shows no prompt.`, 'Look at its terminal, or reset the lab.');
}

/** Puts the hosts' own numbers in the place of `{value-id}`; one that is not there yet is waited for a little. */
async function filledIn({ learner, signal }: Job, text: string): Promise<string> {
  if (!text.includes('{')) return text;
  using late = deadline(CHECKS_MS);
  for (;;) {
    const values = await withAbort(signal, () => learner.values());
    try {
      return fillIn(text, new Map(values.map((value) => [value.id, value.text])));
    } catch (error) {
      if (late.signal.aborted) {
        throw new GuideStopped(
          `It needs something that the hosts do not have yet: ${(error as Error).message}.`,
          'Do the steps before this one first, or use Start from here.',
        );
      }
    }
    await sleep(AGAIN_MS, signal);
  }
}

/** Where a step's checks stand. */
interface WatchedChecks {
  /** Settles when the last of them passes; never where there was nothing left to pass. */
  readonly passed: Promise<void>;
  arePassed(): boolean;
}

function watchChecks(learner: LearnerActions, ids: readonly string[]): WatchedChecks & Disposable {
  const arePassed = (): boolean => ids.every((id) => isPassedIn(learner.checks(), id));
  const passed = Promise.withResolvers<void>();
  const werePassed = arePassed();
  const heard = learner.onChecks(() => {
    if (!werePassed && arePassed()) passed.resolve();
  });
  return { passed: passed.promise, arePassed, [Symbol.dispose]: () => heard[Symbol.dispose]() };
}

function isPassedIn(checks: readonly CheckView[], id: string): boolean {
  return checks.some((check) => check.id === id && check.state === 'passed');
}

/** The command by which a check of the step says that its mistake is put right. */
function fixFor(learner: LearnerActions, step: Step): Fix | undefined {
  for (const check of learner.checks()) {
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
