import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { QUIET_MS, questionIn } from '../labs/screen-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { GuideStopped, isFree } from './free-terminal.ts';

/** The slowest command that a lab asks for (an image that is built) takes a fraction of this. */
const COMMAND_MS = 120_000;
/** A command that still runs so long after its step has ticked is one that stays: a server in the foreground. */
const STAYS_MS = 3_000;
/** A command that stays, and has printed nothing for so long, is one that says nothing. */
const SILENT_MS = 5_000;
/** How often it is looked at until then. */
const LOOK_MS = 50;
/** The prompt follows its mark; what is typed before it is there stands in the wrong place (ms). */
const PROMPT_SETTLES_MS = 30;
/** However long the command: it is typed within so many keys' time, so that the learner does not wait for it. */
const KEYS_MOST = 40;
/** Of what a command has printed, the end is kept: more than a lab's longest output, and far less than a flood. */
const OUTPUT_BYTES = 64 * 1024;

/** A question stands in the last line; this is a line and its colours. */
const QUESTION_BYTES = 1024;

/** Ctrl-U, in each of the shell's editing modes: what was typed ahead makes room (Ctrl-Y brings it back). */
const CLEAR_LINE = '\x15';
const INTERRUPT = '\x03';
const ENTER = '\r';
/** Several lines go in as one paste, so that no line runs before the last is there. */
const PASTE = { begin: '\x1b[200~', end: '\x1b[201~' } as const;
/** The marks that stand around a command's output. */
const STARTED = '\x1b]633;C';
const FINISHED = '\x1b]633;D';
const MARK_END = '\x07';

/** How a command that was typed came to its end. */
export interface CommandRun {
  /** `undefined` where the shell did not say, as after a syntax error. */
  readonly status: number | undefined;
  /** The end of what it printed, with all escapes. */
  readonly output: string;
  /** The learner pressed Ctrl-C meanwhile. */
  readonly interrupted: boolean;
}

/** How far a command has come. */
export type CommandPhase =
  | { readonly kind: 'typing' }
  | { readonly kind: 'running' }
  /** It waits for an answer: nobody but the learner can give it. */
  | { readonly kind: 'asking'; readonly question: string };

/** How a command is typed and followed. */
export interface CommandOptions {
  /** Between two keys, in ms; 0 types the whole line at once. */
  readonly keyMs: number;
  /** Settles when the step that the command is for has ticked: one that stays is not waited for any longer then. */
  readonly ticked?: Promise<void> | undefined;
  /** It runs on until Ctrl-C: what it prints first is waited for, and not its end. */
  readonly stays?: boolean | undefined;
  /** How long it may run (ms); as long as it likes, with infinity. */
  readonly mostMs?: number;
  readonly onPhase?: (phase: CommandPhase) => void;
  readonly signal: AbortSignal;
}

/**
 * Types a command at a terminal's prompt and follows it to its end. A learner who types while the line is being typed
 * has the terminal: the line makes room and this stops. While the command runs, keys are the program's, Ctrl-C too.
 *
 * @throws GuideStopped when the learner takes over, the shell ends or the command takes too long
 * @throws what `signal` was aborted with, after a Ctrl-C to the command
 */
export async function runCommand(
  terminal: Terminal,
  command: string,
  {
    keyMs,
    ticked,
    stays = false,
    mostMs = COMMAND_MS,
    onPhase = () => undefined,
    signal,
  }: CommandOptions,
): Promise<CommandRun> {
  let phase: 'typing' | 'running' = 'typing';
  let interrupted = false;
  let status: number | undefined;
  const ended = Promise.withResolvers<void>();
  const taken = new AbortController();
  // The learner may take the terminal before the end is awaited.
  ended.promise.catch(() => undefined);
  using _input = terminal.onInput((bytes) => {
    if (bytes.includes(INTERRUPT.charCodeAt(0))) interrupted = true;
    if (phase === 'running' || taken.signal.aborted) return;
    terminal.sendText(CLEAR_LINE);
    ended.reject(
      interrupted
        ? new GuideStopped('You stopped it with Ctrl-C.', AGAIN)
        : takenOver(terminal.title),
    );
    // Not a key more, whatever prompt comes next.
    taken.abort();
  });
  using _finished = terminal.onCommand((finished) => {
    status = finished.status;
  });
  using _gone = terminal.onGone(() =>
    ended.reject(new GuideStopped(`The terminal ${terminal.title} has ended.`, AGAIN)),
  );
  using limit = Number.isFinite(mostMs) ? deadline(mostMs, signal) : undefined;
  const stop = limit?.signal ?? signal;
  const over = new AbortController();
  try {
    onPhase({ kind: 'typing' });
    const keys = keyIn(terminal, command, keyMs, AbortSignal.any([stop, taken.signal]));
    await withAbort(stop, () => Promise.race([keys, ended.promise]));
    phase = 'running';
    const from = terminal.head;
    using _prompt = terminal.onPrompt(() => ended.resolve());
    terminal.sendText(ENTER);
    onPhase({ kind: 'running' });
    const meanwhile = AbortSignal.any([stop, over.signal]);
    const asks = tellQuestions(terminal, from, onPhase, meanwhile);
    const goesOn = stays
      ? Promise.race([hasBegun(terminal, from, meanwhile), ...(ticked ? [ticked] : [])])
      : ticked?.then(() => sleep(STAYS_MS, stop));
    await withAbort(stop, () => Promise.race([ended.promise, asks, ...(goesOn ? [goesOn] : [])]));
    return { status, output: outputOf(terminal, from), interrupted };
  } catch (error) {
    if (signal.aborted) terminal.sendText(phase === 'typing' ? CLEAR_LINE : INTERRUPT);
    else if (stop.aborted) {
      throw new GuideStopped(
        `\`${command}\` has been running in ${terminal.title} for ${mostMs / 1000} s and has not ended.`,
        'Look at the terminal: it may be waiting for something. Ctrl-C ends it.',
      );
    }
    throw error;
  } finally {
    over.abort();
  }
}

/** Settles when a command has printed something, or has run in silence for long enough. */
async function hasBegun(terminal: Terminal, from: number, signal: AbortSignal): Promise<void> {
  for (let ms = 0; ms < SILENT_MS; ms += LOOK_MS) {
    await sleep(LOOK_MS, signal);
    if (terminal.prompt === 'running' && outputOf(terminal, from, true) !== '') return;
  }
}

/** Looks now and then whether the command waits for an answer. @throws the signal's reason, and ends by nothing else */
async function tellQuestions(
  terminal: Terminal,
  from: number,
  onPhase: (phase: CommandPhase) => void,
  signal: AbortSignal,
): Promise<never> {
  let told: string | undefined;
  for (let head = from; ; ) {
    await sleep(QUIET_MS, signal);
    const isQuiet = terminal.head === head;
    head = terminal.head;
    const last = Math.max(from, head - QUESTION_BYTES);
    const question =
      isQuiet && terminal.prompt === 'running'
        ? questionIn(Buffer.from(terminal.outputSince(last)).toString())
        : undefined;
    if (question === told) continue;
    told = question;
    onPhase(question === undefined ? { kind: 'running' } : { kind: 'asking', question });
  }
}

const AGAIN = 'What was done so far stays done. Go on by yourself, or have the step done again.';

function takenOver(title: string): GuideStopped {
  return new GuideStopped(`You typed into ${title}, so the terminal is yours.`, AGAIN);
}

function notAtPrompt(title: string): GuideStopped {
  return new GuideStopped(`${title} is not at its prompt any more.`, AGAIN);
}

async function keyIn(
  terminal: Terminal,
  command: string,
  keyMs: number,
  signal: AbortSignal,
): Promise<void> {
  await sleep(PROMPT_SETTLES_MS, signal);
  if (!isFree(terminal)) throw notAtPrompt(terminal.title);
  terminal.sendText(CLEAR_LINE);
  if (command.includes('\n')) {
    terminal.sendText(PASTE.begin + command + PASTE.end);
    return;
  }
  const letters = [...command];
  const atOnce = keyMs === 0 ? letters.length : Math.ceil(letters.length / KEYS_MOST);
  for (let at = 0; at < letters.length; at += atOnce) {
    if (at > 0) await sleep(keyMs, signal);
    if (!isFree(terminal)) throw notAtPrompt(terminal.title);
    terminal.sendText(letters.slice(at, at + atOnce).join(''));
  }
}

/** What stands between the marks of the newest command; where the shell sets none, everything, or nothing if they are needed. */
function outputOf(terminal: Terminal, from: number, needsMarks = false): string {
  const kept = Math.max(from, terminal.head - OUTPUT_BYTES);
  const text = Buffer.from(terminal.outputSince(kept)).toString();
  const started = text.lastIndexOf(STARTED);
  if (started < 0 && needsMarks) return '';
  const begin = started < 0 ? 0 : text.indexOf(MARK_END, started) + 1;
  const end = text.indexOf(FINISHED, begin);
  return text.slice(begin, end < 0 ? undefined : end);
}
