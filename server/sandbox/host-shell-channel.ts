import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { deadline, withAbort } from '../base/deadline.ts';
import type { ProcessLine } from '../engine/engine.ts';
import { BoundedBytes, OutputLimitError } from '../engine/output-limit.ts';
import { ReadBudget } from '../engine/read-budget.ts';

/** What a command came back with; stdout and stderr together, trimmed. */
export interface ExecResult {
  readonly status: number;
  readonly output: string;
}

/**
 * Runs each line it reads, and prints after each a mark, which no output holds by chance, and the status. Nothing but
 * the command itself is a process of its own: with a subshell and an encoder beside it, a command took 45 ms on two
 * busy cores.
 */
const SCRIPT = `while IFS= read -r line; do
  eval "$line" 2>&1 </dev/null
  printf '\\n%s %s\\n' "$1" "$?"
done`;
/** Bytes of the mark: it cannot be guessed, and each shell has its own. */
const MARK_BYTES = 12;
/** After the mark: a space, a status of one to three digits, a line feed. */
const STATUS_BYTES = 5;
/**
 * A shell is there 60 ms after it was asked for; on a machine full of starts it takes seconds. One that takes longer is
 * waited for by the next command.
 */
const OPEN_MS = 20_000;
/** A command here takes 3 ms, and as long as a check may wait where the machine is full. */
const ANSWER_MS = 10_000;
/** The longest that is asked for are a file's first 64 KiB and a routing table. */
const ANSWER_BYTES = 256 * 1024;

/** Starts a process in the host. What is begun comes, or fails, within the time that an engine has for it. */
type Dial = (argv: readonly string[], signal: AbortSignal) => Promise<ProcessLine>;

/**
 * Runs small commands in a host over one shell that stays, one after the other. A process of its own for each costs the
 * engine 40 to 60 ms; a command here takes 2 to 3 ms (measured on a lab host).
 */
export class HostShellChannel implements AsyncDisposable {
  readonly #dial: Dial;
  readonly #budget: ReadBudget;
  #shell: Promise<ChannelShell> | undefined;
  readonly #queue = pLimit(1);
  readonly #closing = new Set<Promise<void>>();
  readonly #closed = new AbortController();

  /** @param budget is closed where a command's output has no end, and no command runs until it is open again */
  constructor(dial: Dial, budget = new ReadBudget()) {
    this.#dial = dial;
    this.#budget = budget;
  }

  /**
   * Runs one command. A shell that broke, or whose answer is no longer waited for, is replaced at the next command. One
   * that is on its way is not: there is never more than one.
   *
   * @param milliseconds how long it may take, from when it is put and not from when it is queued
   * @throws the signal's reason; OutputLimitError; TimeoutError; Error where the host does not answer
   */
  async exec(
    argv: readonly string[],
    signal: AbortSignal,
    milliseconds = ANSWER_MS,
  ): Promise<ExecResult> {
    // A line break would end the command early.
    if (argv.some((word) => word.includes('\n')))
      throw new Error('a question to a host is one line');
    const line = `${argv.map(quoted).join(' ')}\n`;
    return await withAbort(signal, () => this.#queue(() => this.#exec(line, signal, milliseconds)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the way into the host is closed'));
    if (this.#shell) this.#drop(this.#shell);
    await this.#queue(() => undefined);
    await Promise.all(this.#closing);
  }

  async #exec(line: string, signal: AbortSignal, milliseconds: number): Promise<ExecResult> {
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    this.#budget.assertOpen();
    this.#shell ??= this.#open();
    const shell = this.#shell;
    const open = await within(OPEN_MS, signal, shell);
    using limit = deadline(milliseconds, signal);
    try {
      return await open.exec(line, limit.signal);
    } catch (error) {
      // Its answer may still come, and must not be taken for that of the next command.
      this.#drop(shell);
      throw error instanceof OutputLimitError ? this.#budget.close(error) : error;
    }
  }

  #open(): Promise<ChannelShell> {
    const mark = randomBytes(MARK_BYTES).toString('hex');
    const { signal } = this.#closed;
    const dialing = this.#dial(['sh', '-c', SCRIPT, 'quayside', mark], signal);
    const opening = withAbort(signal, async () => {
      const dialed = await dialing;
      // What is asked before it runs would be given up, and one more shell be asked for.
      await dialed.started;
      return new ChannelShell(dialed, mark, () => this.#drop(opening));
    });
    opening.catch(() => {
      this.#drop(opening);
      // One that comes after the end is not left running.
      dialing.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
    });
    return opening;
  }

  #drop(shell: Promise<ChannelShell>): void {
    if (this.#shell === shell) this.#shell = undefined;
    const closing = shell
      .then((open) => open.close())
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** @throws the signal's reason; TimeoutError */
async function within<T>(milliseconds: number, signal: AbortSignal, wait: Promise<T>): Promise<T> {
  using limit = deadline(milliseconds, signal);
  return await withAbort(limit.signal, () => wait);
}

/** What a shell is at. */
type ShellState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'asked';
      readonly output: BoundedBytes;
      readonly answer: PromiseWithResolvers<ExecResult>;
    }
  | { readonly kind: 'ended' };

/** One open shell. It is asked one thing at a time. */
class ChannelShell {
  readonly #dialed: ProcessLine;
  readonly #end: RegExp;
  readonly #endBytes: number;
  readonly #onEnd: () => void;
  #state: ShellState = { kind: 'idle' };

  /** @param onEnd called when the shell is gone, asked or not */
  constructor(dialed: ProcessLine, mark: string, onEnd: () => void) {
    this.#dialed = dialed;
    this.#end = new RegExp(`\\n${mark} (\\d{1,3})\\n$`);
    this.#endBytes = 1 + mark.length + STATUS_BYTES;
    this.#onEnd = onEnd;
    for (const end of ['end', 'close', 'error']) {
      dialed.stream.once(end, () => this.#fail(new Error('the host does not answer')));
    }
    dialed.stream.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** @throws the signal's reason; OutputLimitError; Error where the shell is gone */
  async exec(line: string, signal: AbortSignal): Promise<ExecResult> {
    if (this.#state.kind !== 'idle') throw new Error('the host does not answer');
    const answer = Promise.withResolvers<ExecResult>();
    this.#state = { kind: 'asked', output: new BoundedBytes(ANSWER_BYTES), answer };
    this.#dialed.stream.write(line);
    return await withAbort(signal, () => answer.promise);
  }

  async close(): Promise<void> {
    this.#state = { kind: 'ended' };
    await this.#dialed[Symbol.asyncDispose]();
  }

  #read(chunk: Buffer): void {
    if (this.#state.kind === 'ended') return;
    if (this.#state.kind === 'idle') {
      this.#fail(new Error('the host answers what it was not asked'));
      return;
    }
    const { output, answer } = this.#state;
    try {
      output.add(chunk);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    // Only what the end can be in is looked at, however much has come before it.
    const end = this.#end.exec(output.end(this.#endBytes).toString('latin1'));
    if (!end) return;
    this.#state = { kind: 'idle' };
    const text = output.take().subarray(0, -end[0].length).toString().trim();
    answer.resolve({ status: Number(end[1]), output: text });
  }

  #fail(error: Error): void {
    const before = this.#state;
    if (before.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    // At once, and not when the next command comes: it may be in the middle of a flood.
    this.#dialed.stream.destroy();
    if (before.kind === 'asked') before.answer.reject(error);
    this.#onEnd();
  }
}

/** A word for a shell, taken to the letter. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
