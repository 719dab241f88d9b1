import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { ReadableError } from '../base/errors.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** A shell shows its first prompt within a fraction of this, on a busy machine too. */
const PROMPT_MS = 10_000;
/** The slowest command that a lab asks for (an image that is built) takes a fraction of this. */
const COMMAND_MS = 120_000;
/** A command that still runs so long after its step has ticked is one that stays: a server in the foreground. */
const STAYS_MS = 3_000;
/** The prompt follows its mark; what is typed before it is there stands in the wrong place (ms). */
const PROMPT_SETTLES_MS = 30;
/** However long the command: it is typed within so many keys' time, so that the learner does not wait for it. */
const KEYS_MOST = 40;
/** Of what a command has printed, the end is kept: more than a lab's longest output, and far less than a flood. */
const OUTPUT_BYTES = 64 * 1024;

/** Ctrl-E and Ctrl-U: whatever stands at the prompt makes room (Ctrl-Y brings it back). */
const CLEAR_LINE = '\x05\x15';
const INTERRUPT = '\x03';
const ENTER = '\r';
/** Several lines go in as one paste, so that no line runs before the last is there. */
const PASTE = { begin: '\x1b[200~', end: '\x1b[201~' } as const;
/** The marks that stand around a command's output. */
const STARTED = '\x1b]633;C';
const FINISHED = '\x1b]633;D';
const MARK_END = '\x07';

/** Why something that was being done for a learner did not come to its end, in words for them. Nothing is undone. */
export class GuideStopped extends ReadableError {}

/** How a command that was typed came to its end. */
export interface CommandRun {
  /** `undefined` where the shell did not say, as after a syntax error. */
  readonly status: number | undefined;
  /** The end of what it printed, with all escapes. */
  readonly output: string;
  /** The learner pressed Ctrl-C meanwhile. */
  readonly interrupted: boolean;
}

/** How a command is typed and followed. */
export interface CommandOptions {
  /** Between two keys, in ms; 0 types the whole line at once. */
  readonly keyMs: number;
  /** Settles when the step that the command is for has ticked: one that stays is not waited for any longer then. */
  readonly ticked?: Promise<void> | undefined;
  readonly signal: AbortSignal;
}

/** Settles when the shell shows a prompt with nothing typed at it; `false` where it does not in time. */
export async function promptOf(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  if (isFree(terminal)) return true;
  const shown = Promise.withResolvers<void>();
  using _ = terminal.onPrompt(() => shown.resolve());
  using limit = deadline(PROMPT_MS, signal);
  await withAbort(limit.signal, () => shown.promise).catch(() => signal.throwIfAborted());
  return isFree(terminal);
}

/** A command typed now is taken by the shell as it stands. */
export function isFree({ prompt }: Terminal): boolean {
  return prompt === 'clear';
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
  { keyMs, ticked, signal }: CommandOptions,
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
  using limit = deadline(COMMAND_MS, signal);
  const stop = limit.signal;
  try {
    const keys = keyIn(terminal, command, keyMs, AbortSignal.any([stop, taken.signal]));
    await withAbort(stop, () => Promise.race([keys, ended.promise]));
    phase = 'running';
    const from = terminal.head;
    using _prompt = terminal.onPrompt(() => ended.resolve());
    terminal.sendText(ENTER);
    const stays = ticked?.then(() => sleep(STAYS_MS, stop));
    await withAbort(stop, () => Promise.race([ended.promise, ...(stays ? [stays] : [])]));
    return { status, output: outputOf(terminal, from), interrupted };
  } catch (error) {
    if (signal.aborted) terminal.sendText(phase === 'typing' ? CLEAR_LINE : INTERRUPT);
    else if (stop.aborted) {
      throw new GuideStopped(
        `\`${command}\` has been running in ${terminal.title} for ${COMMAND_MS / 1000} s and has not ended.`,
        'Look at the terminal: it may be waiting for something. Ctrl-C ends it.',
      );
    }
    throw error;
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

/** What stands between the marks of the newest command; everything, where the shell sets none. */
function outputOf(terminal: Terminal, from: number): string {
  const kept = Math.max(from, terminal.head - OUTPUT_BYTES);
  const text = Buffer.from(terminal.outputSince(kept)).toString();
  const started = text.lastIndexOf(STARTED);
  const begin = started < 0 ? 0 : text.indexOf(MARK_END, started) + 1;
  const end = text.indexOf(FINISHED, begin);
  return text.slice(begin, end < 0 ? undefined : end);
}
