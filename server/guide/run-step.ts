import { fillIn, type HowRun, type Lab } from '#lab';
import type { CheckView, Fix, GuideAction, ValueView, VisitView } from '#protocol';
import type { Step, StepAction } from '#steps';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { asSentence } from '../base/errors.ts';
import { pageText, readOff, terminalText } from '../labs/screen-text.ts';
import { commandsOf } from '../labs/shell-commands.ts';
import { endCommand, freeTerminal, GuideStopped, type HostTerminals } from './free-terminal.ts';
import { type CommandPhase, runCommand } from './run-command.ts';

/** A check that looks whether something stays takes a second or two; by now the work has not done what it should. */
const CHECKS_MS = 20_000;
/** A page that was not there yet, and a value that was still the old one, are tried again so often (ms). */
const AGAIN_MS = 1_000;
/** As much of what a failed command printed as is worth repeating. */
const COMPLAINT_CHARACTERS = 200;
/** Of what a block's commands have printed, the end is kept: an answer stands on the last screens. */
const SCREEN_CHARACTERS = 64 * 1024;

/** What a guide can do: all that one learner can do on their running hosts, and by the same calls. */
export interface LearnerActions extends HostTerminals {
  /** Opens a page in the browser pane; `html` is what came, "" where none did. */
  visit(url: string): Promise<{ readonly visit: VisitView; readonly html: string }>;
  answer(check: string, text: string): Promise<CheckView>;
  checks(): readonly CheckView[];
  /** Called whenever some of the checks have changed. */
  onChecks(listener: () => void): Disposable;
  /** The values as the hosts are now, not as they were at the last signal. */
  values(): Promise<readonly ValueView[]>;
}

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
  using run = new StepRun(job, step, last);
  try {
    await run.all();
  } catch (error) {
    const fix = job.signal.aborted ? undefined : fixFor(job.learner, step);
    if (!(error instanceof CommandFailed || error instanceof NotTicked) || !fix) throw error;
    // A mistake that the lab knows stands in the way: its own fix first, and then once more.
    await run.command(fix, true);
    if (!run.arePassed()) await run.all();
  }
}

/** A command of the step ended with a failure. */
class CommandFailed extends GuideStopped {}
/** Everything was done, and a check still says no. */
class NotTicked extends GuideStopped {}

/** One step while it is done. */
class StepRun implements Disposable {
  readonly #job: Job;
  readonly #step: Step;
  readonly #last: LastOutput;
  /** Settles when the last of its checks passes; never where there was nothing left to pass. */
  readonly #passed = Promise.withResolvers<void>();
  readonly #heard: Disposable;

  constructor(job: Job, step: Step, last: LastOutput) {
    this.#job = job;
    this.#step = step;
    this.#last = last;
    const werePassed = this.arePassed();
    this.#heard = job.learner.onChecks(() => {
      if (!werePassed && this.arePassed()) this.#passed.resolve();
    });
  }

  /** Does all actions, and waits for the checks. */
  async all(): Promise<void> {
    const { actions } = this.#step;
    const lastCommand = actions.findLast(({ kind }) => kind === 'run');
    for (const action of actions) {
      this.#job.signal.throwIfAborted();
      switch (action.kind) {
        case 'run':
          await this.command(action, action === lastCommand);
          break;
        case 'interrupt':
          await this.#interrupt(action.host);
          break;
        case 'open':
          await this.#open(action.url);
          break;
        case 'answer':
          await this.#answer(action);
          break;
        default:
          action satisfies never;
      }
    }
    await this.#untilPassed();
  }

  /** @param isLast where the step ticks with it, a command that stays is not waited for any longer */
  async command(
    { host, command: block, stays, second, fails }: Fix & HowRun,
    isLast: boolean,
  ): Promise<void> {
    const { learner, keyMs, signal, tell } = this.#job;
    const command = await filledIn(learner, block, signal);
    this.#last.text = '';
    const lines = commandsOf(command);
    for (const [index, line] of lines.entries()) {
      const isEnd = index === lines.length - 1;
      const ticked = isLast && isEnd ? this.#passed.promise : undefined;
      tell(`Typing \`${line}\` on ${host}`);
      using free = await freeTerminal(learner, { host, second }, signal);
      const deed = { kind: 'run', host, terminal: free.terminal.id } as const;
      const onPhase = (phase: CommandPhase) => tell(phaseText(phase, line, host), deed);
      const options = { keyMs, ticked, stays: isEnd && stays, onPhase, signal };
      const ran = await runCommand(free.terminal, line, options);
      const output = terminalText(ran.output);
      this.#last.text = (this.#last.text + output).slice(-SCREEN_CHARACTERS);
      if (ran.interrupted) throw new GuideStopped('You stopped it with Ctrl-C.', GO_ON);
      // One that was to fail and has not is for the step's check to tell.
      const mayFail = isEnd && fails;
      if (ran.status !== undefined && ran.status !== 0 && !mayFail) {
        throw new CommandFailed(complaint(line, host, ran.status, output), GO_ON);
      }
    }
  }

  async #interrupt(host: string): Promise<void> {
    const { learner, signal, tell } = this.#job;
    tell(`Pressing Ctrl-C on ${host}`);
    const terminal = await endCommand(learner, host, signal);
    if (terminal) tell(`Pressed Ctrl-C on ${host}`, { kind: 'run', host, terminal: terminal.id });
  }

  async #open(written: string): Promise<void> {
    const { learner, signal, tell } = this.#job;
    const url = await filledIn(learner, written, signal);
    tell(`Opening \`${url}\` in the browser`, { kind: 'open', url });
    const { visit, html } = await withAbort(signal, () => learner.visit(url));
    this.#last.text = await pageText(html);
    tell(`Opened \`${url}\` in the browser`, { kind: 'open', url, visit });
  }

  async #answer({
    check: id,
    text: known,
  }: Extract<StepAction, { kind: 'answer' }>): Promise<void> {
    const { lab, learner, signal, tell } = this.#job;
    const check = lab.checks.find((each) => each.id === id);
    const text =
      typeof known === 'string'
        ? await filledIn(learner, known, signal)
        : known && readOff(known, this.#last.text);
    if (text === undefined) {
      throw new GuideStopped(
        `The answer to “${check?.question ?? check?.title ?? id}” does not stand on the screen.`,
        'Do the step before it first, or read it off by yourself.',
      );
    }
    const shown = check?.choices
      ? text.split(' ').map((key) => `“${check.choices?.options[key] ?? key}”`)
      : [`\`${text}\``];
    tell(`Answering ${shown.join(', ')}`, { kind: 'answer', check: id });
    await withAbort(signal, () => learner.answer(id, text));
  }

  /**
   * Waits for the checks. A page that was opened before it was there, and an address that was the old one, are tried
   * again, as a person would.
   */
  async #untilPassed(): Promise<void> {
    const { signal, tell } = this.#job;
    using late = deadline(CHECKS_MS);
    const lastAction = this.#step.actions.at(-1);
    while (!this.arePassed()) {
      tell('Waiting for the step to tick');
      await withAbort(signal, () => Promise.race([this.#passed.promise, sleep(AGAIN_MS, signal)]));
      if (this.arePassed()) return;
      if (late.signal.aborted) throw this.#notTicked();
      if (lastAction?.kind === 'open') await this.#open(lastAction.url);
    }
  }

  arePassed(): boolean {
    return this.#step.checks.every((id) => {
      return this.#job.learner
        .checks()
        .some((check) => check.id === id && check.state === 'passed');
    });
  }

  #notTicked(): NotTicked {
    const { lab, learner } = this.#job;
    const isOpen = ({ id, state }: CheckView) =>
      this.#step.checks.includes(id) && state !== 'passed';
    const open = learner.checks().find(isOpen);
    const title = lab.checks.find(({ id }) => id === open?.id)?.title ?? 'The step';
    const reason = open && open.state !== 'passed' ? `: ${open.reason}` : '';
    return new NotTicked(asSentence(`All was done, but “${title}” does not tick${reason}`), GO_ON);
  }

  [Symbol.dispose](): void {
    this.#heard[Symbol.dispose]();
  }
}

const GO_ON =
  'Nothing is undone. Mend it by yourself, or use Start from here for hosts on which all steps before are done.';

/** What is so while a command is typed and while it runs. */
function phaseText(phase: CommandPhase, line: string, host: string): string {
  switch (phase.kind) {
    case 'typing':
      return `Typing \`${line}\` on ${host}`;
    case 'running':
      return `\`${line}\` is running on ${host}`;
    case 'asking':
      return `\`${line}\` on ${host} asks: ${asSentence(phase.question)} Answer it in the terminal.`;
    default:
      return phase satisfies never;
  }
}

/**
 * Puts the hosts' own numbers in the place of `{value-id}`; one that is not there yet is waited for a little.
 *
 * @throws GuideStopped where a value stays missing
 */
export async function filledIn(
  { values: read }: Pick<LearnerActions, 'values'>,
  text: string,
  signal: AbortSignal,
  patienceMs = CHECKS_MS,
): Promise<string> {
  if (!text.includes('{')) return text;
  using late = deadline(patienceMs);
  for (;;) {
    const values = await withAbort(signal, read);
    try {
      return fillIn(text, new Map(values.map((value) => [value.id, value.text])));
    } catch (error) {
      if (late.signal.aborted || patienceMs === 0) {
        throw new GuideStopped(
          `It needs something that the hosts do not have yet: ${(error as Error).message}.`,
          'Do the steps before this one first, or use Start from here.',
        );
      }
    }
    await sleep(AGAIN_MS, signal);
  }
}

/** The command by which a check of the step says that its mistake is put right. */
function fixFor(learner: LearnerActions, step: Step): Fix | undefined {
  const open = learner.checks().filter(({ id }) => step.checks.includes(id));
  return open.flatMap((check) => (check.state === 'not-yet' ? (check.wayOut ?? []) : []))[0];
}

/** What there is to say of a command that has failed: how it ended, and the last that it printed. */
export function complaint(line: string, host: string, status: number, output: string): string {
  const said = output.trim().split('\n').at(-1)?.slice(0, COMPLAINT_CHARACTERS) ?? '';
  return asSentence(
    `\`${line}\` on ${host} ended with status ${status}${said === '' ? '' : `: ${said}`}`,
  );
}
