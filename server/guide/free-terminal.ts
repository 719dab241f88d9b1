import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { ReadableError } from '../base/errors.ts';
import type { Prompt, Terminal } from '../terminal/terminal.ts';

/** A shell shows its first prompt within a fraction of this, on a busy machine too. */
const PROMPT_MS = 10_000;
/** A shell that waits at its prompt answers a Ctrl-C, and a line that was entered, well within this. */
const ANSWER_MS = 2_000;
/** How often it is looked at meanwhile. */
const LOOK_MS = 50;
/** In which a shell has put a line aside; where there is none to be drawn, all of it is waited. */
const ASIDE_MS = 200;
const ASIDE_LOOK_MS = 10;
/** Ctrl-U, in each of the shell's editing modes: what is half typed goes aside, and Ctrl-Y brings it back. */
const PUT_ASIDE = '\x15';
/** Gives up what is left: a command that goes on, a search, vi's other mode, a question about completions. */
const INTERRUPT = '\x03';

/** Why something that was being done for a learner did not come to its end, in words for them. Nothing is undone. */
export class GuideStopped extends ReadableError {}

/** What is needed of a learner's hosts to find a terminal. */
export interface HostTerminals {
  /** The host's terminals, in the order of their tabs. */
  terminals(host: string): readonly Terminal[];
  openTerminal(host: string): Promise<Terminal>;
}

/** Where a command goes. `second`: not into the host's first terminal, which is opened where there is none. */
export interface Place {
  readonly host: string;
  readonly second?: boolean | undefined;
}

/** A terminal at its prompt. Until it is disposed, nobody else finds it. */
export interface FreeTerminal extends Disposable {
  readonly terminal: Terminal;
}

/** Those in which somebody types in a learner's place. */
const taken = new WeakSet<Terminal>();

/**
 * The one rule for where a command goes, of Run, Do it for me and Start from here: a terminal of the host that is at its
 * prompt, the one in sight first, else a new one. What is half typed, a command that goes on (`> `) and another editing
 * mode are put right first; a terminal in which a program runs is never typed into.
 *
 * @throws GuideStopped where not even a new terminal shows a prompt
 * @throws QuaysideError where no more can be opened; the signal's reason
 */
export async function freeTerminal(
  learner: HostTerminals,
  { host, second = false }: Place,
  signal: AbortSignal,
): Promise<FreeTerminal> {
  if (second && learner.terminals(host).length === 0) {
    await withAbort(signal, () => learner.openTerminal(host));
  }
  for (const terminal of inOrder(learner.terminals(host).slice(second ? 1 : 0))) {
    if (taken.has(terminal)) continue;
    const lease = take(terminal);
    if (await isBroughtToPrompt(terminal, signal)) return lease;
    lease[Symbol.dispose]();
  }
  const fresh = await withAbort(signal, () => learner.openTerminal(host));
  const lease = take(fresh);
  if (await showsPrompt(fresh, PROMPT_MS, signal)) return lease;
  lease[Symbol.dispose]();
  throw new GuideStopped(
    `${host} shows no prompt.`,
    'Look at its terminal: Ctrl-C ends what runs in it. Or reset the lab.',
  );
}

/**
 * Presses Ctrl-C where a command of the host runs, in the newest terminal of several, and waits for the prompt.
 *
 * @returns the terminal; `undefined` where nothing runs
 * @throws GuideStopped where the command goes on; the signal's reason
 */
export async function endCommand(
  learner: Pick<HostTerminals, 'terminals'>,
  host: string,
  signal: AbortSignal,
): Promise<Terminal | undefined> {
  const terminal = learner.terminals(host).findLast(({ prompt }) => prompt === 'running');
  if (!terminal) return undefined;
  terminal.sendText(INTERRUPT);
  if (await showsPrompt(terminal, PROMPT_MS, signal)) return terminal;
  throw new GuideStopped(
    `What runs in ${terminal.title} did not end with Ctrl-C.`,
    'Look at the terminal, and end it by hand. Or reset the lab.',
  );
}

/** A command typed now is taken by the shell as it stands. */
export function isFree({ prompt }: Terminal): boolean {
  return prompt === 'clear';
}

/** The less has to be put right, the sooner. */
const READY: readonly Prompt[] = ['clear', 'none', 'edited', 'continued', 'entered', 'running'];

function inOrder(terminals: readonly Terminal[]): readonly Terminal[] {
  const rank = ({ isInSight, prompt }: Terminal) => (isInSight ? -1 : READY.indexOf(prompt));
  return terminals.toSorted((one, other) => rank(one) - rank(other));
}

async function isBroughtToPrompt(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  // What was entered last may have ended at once, or have begun a program.
  for (let ms = 0; ms < ANSWER_MS && terminal.prompt === 'entered'; ms += LOOK_MS) {
    await sleep(LOOK_MS, signal);
  }
  switch (terminal.prompt) {
    case 'clear':
      return true;
    case 'edited':
    case 'continued':
      return isPutRight(terminal, signal);
    case 'none':
      // One that has only just been opened is on its way to its prompt; of one that is older nothing is known.
      return Date.now() - terminal.joinedAt < PROMPT_MS && showsPrompt(terminal, PROMPT_MS, signal);
    case 'entered':
    case 'running':
      return false;
    default:
      return terminal.prompt satisfies never;
  }
}

async function isPutRight(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  const { head } = terminal;
  terminal.sendText(PUT_ASIDE);
  // A Ctrl-C takes away all keys that the shell has not read yet. A line that has been put aside is drawn anew.
  for (let ms = 0; ms < ASIDE_MS && terminal.head === head; ms += ASIDE_LOOK_MS) {
    await sleep(ASIDE_LOOK_MS, signal);
  }
  if (terminal.prompt === 'running') return false;
  terminal.sendText(INTERRUPT);
  return showsPrompt(terminal, ANSWER_MS, signal);
}

/** Settles when the shell shows a prompt with nothing typed at it, or when its time is over. */
async function showsPrompt(
  terminal: Terminal,
  milliseconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (isFree(terminal)) return true;
  const shown = Promise.withResolvers<void>();
  using _prompt = terminal.onPrompt(() => shown.resolve());
  using _gone = terminal.onGone(() => shown.resolve());
  using limit = deadline(milliseconds, signal);
  await withAbort(limit.signal, () => shown.promise).catch(() => signal.throwIfAborted());
  return isFree(terminal);
}

function take(terminal: Terminal): FreeTerminal {
  taken.add(terminal);
  return {
    terminal,
    [Symbol.dispose]: () => {
      taken.delete(terminal);
    },
  };
}
