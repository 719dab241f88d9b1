import { randomBytes } from 'node:crypto';
import type { RunView, WhyStopped } from '#protocol';
import type { Background } from '../base/background.ts';
import { QuaysideError, ReadableError, wordsFor } from '../base/errors.ts';
import { commandsOf } from '../labs/shell-commands.ts';
import { type FreeTerminal, freeTerminal, GuideStopped, type Place } from './free-terminal.ts';
import { type CommandPhase, runCommand } from './run-command.ts';
import { complaint, filledIn, type LearnerActions } from './run-step.ts';

const NOT_RUN = {
  reason: 'The block could not be typed to its end',
  remedy: 'Look at its terminal, and run the rest by hand.',
};

export interface RunsOptions {
  readonly background: Background;
  /** @param stopped why commands of a block were not typed */
  readonly onChange: (runs: readonly RunView[], stopped?: WhyStopped) => void;
}

/** A block to be typed, and where. */
export interface RunRequest extends Place {
  readonly block: string;
}

interface Run {
  readonly begun: Promise<RunView>;
  readonly stop: AbortController;
  view: RunView | undefined;
}

/**
 * The blocks that a learner has had typed by Run, each until its last command has ended. A block that is asked for again
 * meanwhile is not typed again: a double click is one.
 */
export class Runs {
  readonly #options: RunsOptions;
  /** By host and block. */
  readonly #runs = new Map<string, Run>();

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  get views(): readonly RunView[] {
    return [...this.#runs.values()].flatMap(({ view }) => view ?? []);
  }

  /**
   * Types a block's commands one after the other, each when the one before it has ended. Settles when it is known where.
   *
   * @param request with the host's own name
   * @throws QuaysideError NOT_RUN where a value is missing or no terminal shows a prompt; TERMINAL_LIMIT
   */
  start(request: RunRequest, learner: LearnerActions): Promise<RunView> {
    const key = JSON.stringify([request.host, request.block]);
    const there = this.#runs.get(key);
    if (there) return there.begun;
    const stop = new AbortController();
    const begun = this.#begin(key, request, learner, stop.signal);
    this.#runs.set(key, { begun, stop, view: undefined });
    return begun;
  }

  /** The hosts go away, or this server does: nothing more is typed. */
  abandon(): void {
    for (const { stop } of this.#runs.values()) stop.abort();
    this.#runs.clear();
  }

  async #begin(
    key: string,
    request: RunRequest,
    learner: LearnerActions,
    signal: AbortSignal,
  ): Promise<RunView> {
    const { host, block } = request;
    try {
      const commands = commandsOf(await filledIn(learner, block, signal, 0));
      const free = await freeTerminal(learner, request, signal);
      const run = this.#runs.get(key);
      const view = { id: randomBytes(6).toString('hex'), host, block, terminal: free.terminal.id };
      if (run) run.view = view;
      this.#options.onChange(this.views);
      this.#options.background.run('run a block', () => this.#follow(key, commands, free, signal));
      return view;
    } catch (error) {
      if (!signal.aborted) this.#runs.delete(key);
      if (!(error instanceof GuideStopped)) throw error;
      throw new QuaysideError('NOT_RUN', error.message, error.remedy, { cause: error });
    }
  }

  async #follow(
    key: string,
    commands: readonly string[],
    free: FreeTerminal,
    signal: AbortSignal,
  ): Promise<void> {
    using _ = free;
    const run = this.#runs.get(key);
    let left = commands.length;
    let isTyping = true;
    const onPhase = (phase: CommandPhase): void => {
      isTyping = phase.kind === 'typing';
      if (!run?.view || isTyping) return;
      const { asks, ...view } = run.view;
      const next = phase.kind === 'asking' ? { ...view, asks: phase.question } : view;
      if (asks === ('asks' in next ? next.asks : undefined)) return;
      run.view = next;
      this.#options.onChange(this.views);
    };
    let stopped: WhyStopped | undefined;
    try {
      for (const command of commands) {
        const options = { keyMs: 0, mostMs: Number.POSITIVE_INFINITY, onPhase, signal };
        left -= 1;
        const { status, output } = await runCommand(free.terminal, command, options);
        if (status === undefined || status === 0 || left === 0) continue;
        throw new GuideStopped(
          complaint(command, free.terminal.title, status, output),
          'What comes after it in the block was not run. Mend it, and run the block again.',
        );
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ReadableError)) this.#options.background.fail('run a block', error);
      // The end of the terminal while its last command runs is no news: the learner sees it, or has closed it.
      if (left > 0 || isTyping) stopped = wordsFor(error, NOT_RUN);
    } finally {
      if (!signal.aborted) {
        this.#runs.delete(key);
        this.#options.onChange(this.views, stopped);
      }
    }
  }
}
