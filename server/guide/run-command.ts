import { setTimeout as delay } from 'node:timers/promises';
import type { Terminal } from '../terminal/terminal.ts';
import { GuideStopped, unlessAborted } from './guide-stopped.ts';

/** A shell shows its first prompt within a fraction of this, on a busy machine too. */
const PROMPT_MS = 10_000;
/** The slowest command that a lab asks for (an image that is built) takes a fraction of this. */
const COMMAND_MS = 120_000;
/** The prompt follows its mark; what is typed before it is there stands in the wrong place (ms). */
const PROMPT_SETTLES_MS = 30;
/** However long the command: it is typed within so many keys' time, for nobody likes to wait for a typist. */
const KEYS_MOST = 40;

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

/** How a command that was typed came to its end. */
export interface Typed {
  /** `undefined` where the shell did not say, as after a syntax error. */
  readonly status: number | undefined;
  /** What it printed, as bytes of text with all their escapes. */
  readonly output: string;
  /** The learner pressed Ctrl-C meanwhile. */
  readonly interrupted: boolean;
}

/** Settles when the shell shows a prompt at which nobody has typed; `false` where it does not in time. */
export async function promptOf(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  if (isFree(terminal)) return true;
  const shown = Promise.withResolvers<void>();
  using _ = terminal.onPrompt(() => shown.resolve());
  const late = AbortSignal.timeout(PROMPT_MS);
  await unlessAborted(shown.promise, AbortSignal.any([signal, late])).catch((error: unknown) => {
    if (!late.aborted || signal.aborted) throw error;
  });
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
 * @param keyMs between two keys, in ms; 0 types the whole line at once
 * @param done settles when the command need not be waited for any longer, for it is one that stays
 * @throws Stopped when the learner takes over, the shell ends or the command takes too long
 * @throws what `signal` was aborted with, after a Ctrl-C to the command
 */
export async function runCommand(
  terminal: Terminal,
  command: string,
  { keyMs, done, signal }: { keyMs: number; done: Promise<void>; signal: AbortSignal },
): Promise<Typed> {
  let phase: 'typing' | 'running' = 'typing';
  let interrupted = false;
  let status: number | undefined;
  const ended = Promise.withResolvers<void>();
  const taken = new AbortController();
  // Nobody may be waiting yet when the learner takes the terminal.
  ended.promise.catch(() => undefined);
  using _typed = terminal.onInput((bytes) => {
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
  const stop = AbortSignal.any([signal, AbortSignal.timeout(COMMAND_MS)]);
  try {
    const keys = keyIn(terminal, command, keyMs, AbortSignal.any([stop, taken.signal]));
    await unlessAborted(Promise.race([keys, ended.promise]), stop);
    phase = 'running';
    const from = terminal.head;
    using _prompt = terminal.onPrompt(() => ended.resolve());
    terminal.sendText(ENTER);
    await unlessAborted(Promise.race([ended.promise, done]), stop);
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
  await delay(PROMPT_SETTLES_MS, undefined, { signal });
  if (!isFree(terminal)) throw notAtPrompt(terminal.title);
  terminal.sendText(CLEAR_LINE);
  if (command.includes('\n')) {
    terminal.sendText(PASTE.begin + command + PASTE.end);
    return;
  }
  const letters = [...command];
  const atOnce = keyMs === 0 ? letters.length : Math.ceil(letters.length / KEYS_MOST);
  for (let at = 0; at < letters.length; at += atOnce) {
    if (at > 0) await delay(keyMs, undefined, { signal });
    if (!isFree(terminal)) throw notAtPrompt(terminal.title);
    terminal.sendText(letters.slice(at, at + atOnce).join(''));
  }
}

/** What stands between the marks of the newest command; everything, where the shell sets none. */
function outputOf(terminal: Terminal, from: number): string {
  const text = Buffer.from(terminal.outputSince(from)).toString();
  const started = text.lastIndexOf(STARTED);
  const begin = started < 0 ? 0 : text.indexOf(MARK_END, started) + 1;
  const end = text.indexOf(FINISHED, begin);
  return text.slice(begin, end < 0 ? undefined : end);
}
