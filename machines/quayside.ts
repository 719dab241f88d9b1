import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import { deadline } from '../server/base/deadline.ts';
import type { Command } from './command.ts';
import type { Definition } from './definitions.ts';
import { projectOn } from './disk.ts';
import type { Machine, Result } from './machine.ts';

const READY_LINE = /^Quayside is ready: (\S+)$/m;
/** A remedy is printed after its cause, behind an arrow. */
const REMEDY = /^→ /;
/** Of a command that failed, so much is quoted. */
const LINES_QUOTED = 4;
/** With packages and pages, an engine and two images to make, on a slow machine. */
const START_MS = 12 * 60_000;
/** A server that is told to stop closes what it has open. */
const STOP_MS = 60_000;
/** A part of a learner’s work has several commands. */
const COMMAND_MS = 10 * 60_000;

/** Quayside on a machine, as its user types it. */
export class Quayside {
  readonly #machine: Machine;
  readonly #definition: Definition;
  readonly #signal: AbortSignal;
  readonly #log: (line: string) => void;
  #server: { readonly command: Command; readonly url: string } | undefined;

  constructor(
    machine: Machine,
    definition: Definition,
    signal: AbortSignal,
    log: (line: string) => void,
  ) {
    this.#machine = machine;
    this.#definition = definition;
    this.#signal = signal;
    this.#log = log;
  }

  /**
   * `npm start`, until its ready line.
   *
   * @param typed what is typed for it
   * @returns the line before it that tells the most: the engine in use
   * @throws ExpectationFailed with its last words where it ends before
   */
  async start(
    environment: Readonly<Record<string, string>> = {},
    typed = 'npm start',
  ): Promise<string> {
    const ready = Promise.withResolvers<string>();
    const command = this.#machine.type(
      this.#definition.user,
      this.#typed(typed, environment),
      (line) => {
        this.#log(line);
        const [, url] = READY_LINE.exec(line) ?? [];
        if (url) ready.resolve(url);
      },
    );
    using limit = deadline(START_MS, this.#signal);
    limit.signal.addEventListener('abort', () => ready.reject(limit.signal.reason));
    command.ended.then(
      (status) => ready.reject(new ExpectationFailed('the ready line', `status ${status}`)),
      (error) => ready.reject(error),
    );
    try {
      const url = await ready.promise;
      this.#server = { command, url };
      return 'ready';
    } catch (error) {
      this.#signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      await this.#interrupt(command);
      throw new ExpectationFailed('the ready line', `${lastWords(command.lines)} (${why})`);
    }
  }

  /** Ctrl-C, and the server’s end. @throws ExpectationFailed where it does not end in good order */
  async stop(): Promise<string> {
    const { command } = this.#started();
    await this.#interrupt(command);
    using limit = deadline(STOP_MS, this.#signal);
    const late = Promise.withResolvers<never>();
    limit.signal.addEventListener('abort', () => late.reject(limit.signal.reason));
    const status = await Promise.race([command.ended, late.promise]).catch((error: unknown) => {
      this.#signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      const said = `after ${STOP_MS / 1_000} s it says: ${lastWords(command.lines)}`;
      throw new ExpectationFailed('the server to stop', said);
    });
    this.#server = undefined;
    if (status !== 0) {
      throw new ExpectationFailed(
        'the server to stop',
        `status ${status}: ${lastWords(command.lines)}`,
      );
    }
    return 'stopped';
  }

  /** The machine has gone down with the server. */
  forget(): void {
    this.#server?.command.leave();
    this.#server = undefined;
  }

  /** One part of a learner's work. @returns what was seen @throws ExpectationFailed where it is wrong */
  async learner(part: string): Promise<string> {
    const { url } = this.#started();
    const script = `node_modules/.bin/node machines/learner.ts ${part} '${url}' ~/learner`;
    return await this.command(script);
  }

  /** Any command, in the project’s folder. @throws ExpectationFailed where its status is not 0 */
  async command(text: string): Promise<string> {
    const { status, lines } = await this.run(text);
    const said = lastWords(lines);
    if (status !== 0) throw new ExpectationFailed(`“${text.split(' ', 4).join(' ')}”`, said);
    return said;
  }

  /** Any command, in the project’s folder, however it ends. */
  async run(text: string): Promise<Result> {
    const { user, environment = {} } = this.#definition;
    const result = await this.#machine.run(user, this.#typed(text, environment), COMMAND_MS);
    for (const line of result.lines) this.#log(line);
    return result;
  }

  async #interrupt(command: Command): Promise<void> {
    const { group } = command;
    if (group === undefined || command.isOver) return;
    // As the terminal’s kernel does it: it asks nobody whether a program is of another user.
    const { status, lines } = await this.#machine.run('root', `kill -INT -- -${group}`, STOP_MS);
    if (status !== 0 && !command.isOver) throw new ExpectationFailed('Ctrl-C', lastWords(lines));
  }

  #typed(text: string, environment: Readonly<Record<string, string>>): string {
    const all = { ...this.#definition.environment, ...environment };
    const variables = Object.entries(all).map(([name, value]) => `export ${name}='${value}'; `);
    return `${variables.join('')}cd ${projectOn(this.#definition)} && ${text}`;
  }

  #started() {
    if (!this.#server) throw new ExpectationFailed('a server', 'none was started');
    return this.#server;
  }
}

/** What stands last; of a refusal, its cause and its remedy. */
function lastWords(lines: readonly string[]): string {
  const all = lines.map((line) => line.trim()).filter((line) => line !== '');
  const remedy = all.findLastIndex((line) => REMEDY.test(line));
  const words = remedy > 0 ? all.slice(remedy - 1, remedy + 1) : all.slice(-LINES_QUOTED);
  return words.join(' ⏎ ');
}
