import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import { deadline, sleep } from '../server/base/deadline.ts';
import { type Command, type CommandLine, typeCommand } from './command.ts';

/** A boot takes seconds; in user-mode Linux on a busy machine, minutes. */
const BOOT_MS = 5 * 60_000;
const BOOT_POLL_MS = 500;
/** One look whether the machine answers; slirp takes the connection before anything listens. */
const ANSWER_MS = 10_000;
/** A unit that does not stop holds up systemd for 90 s. */
const HALT_MS = 100_000;

/** A kernel that has been started with the machine's disk. */
export interface Booted extends AsyncDisposable {
  /** Where its commands go. */
  readonly commandLine: CommandLine;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts the machine's kernel, or its namespaces, with its disk. */
export type Boot = (signal: AbortSignal) => Promise<Booted>;

/** What a command left behind. */
export interface Result {
  readonly status: number;
  readonly lines: readonly string[];
}

/** A machine that runs. Disposing it takes its power away. */
export class Machine implements AsyncDisposable {
  readonly #boot: Boot;
  readonly #signal: AbortSignal;
  #booted: Booted | undefined;

  constructor(boot: Boot, signal: AbortSignal) {
    this.#boot = boot;
    this.#signal = signal;
  }

  /** Settles when it takes commands. */
  async start(): Promise<void> {
    using limit = deadline(BOOT_MS, this.#signal);
    const booted = await this.#boot(limit.signal);
    this.#booted = booted;
    let isOver = false;
    booted.ended
      .then(() => {
        isOver = true;
      })
      .catch(() => undefined);
    while (!(await this.#answers(limit.signal))) {
      if (isOver) throw new ExpectationFailed('the machine to boot', 'it went down');
      await sleep(BOOT_POLL_MS, limit.signal, { ref: true });
    }
  }

  /** Types a command. */
  type(user: string, text: string, onLine?: (line: string) => void): Command {
    if (!this.#booted) throw new Error('the machine is not up');
    return typeCommand(this.#booted.commandLine, user, text, onLine);
  }

  /** Types a command and waits for its end. @throws ExpectationFailed where it takes longer */
  async run(user: string, text: string, ms: number): Promise<Result> {
    const command = this.type(user, text);
    using limit = deadline(ms, this.#signal);
    try {
      const status = await Promise.race([command.ended, aborted(limit.signal)]);
      return { status, lines: command.lines };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      const last = command.lines.at(-1) ?? 'nothing';
      throw new ExpectationFailed(`“${text}” to end`, `after ${ms / 1_000} s it says: ${last}`);
    } finally {
      command.leave();
    }
  }

  /** Halts it as its owner does, and starts it again. */
  async reboot(): Promise<void> {
    const { ended } = this.#booted ?? {};
    this.type('root', 'systemctl --no-block poweroff');
    await Promise.race([ended, delay(HALT_MS, undefined, { signal: this.#signal })]);
    await this.#off();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#off();
  }

  async #off(): Promise<void> {
    await this.#booted?.[Symbol.asyncDispose]();
    this.#booted = undefined;
  }

  async #answers(signal: AbortSignal): Promise<boolean> {
    const command = this.type('root', 'systemctl is-active basic.target');
    using limit = deadline(ANSWER_MS, signal);
    const answered = await Promise.race([command.ended, aborted(limit.signal)]).catch(() => 1);
    command.leave();
    return answered === 0;
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}
