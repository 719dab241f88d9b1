import { type Action, fillIn, hostNamed, type Lab } from '#lab';
import type { StepAction } from '#steps';
import { readWithLine } from '../server/labs/screen-text.ts';
import { commandsOf } from '../server/labs/shell-commands.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import type { Learner } from './learner.ts';
import type { TerminalClient } from './terminal-client.ts';

/** A value that has changed on the hosts is on the page well within this. */
const VALUE_MS = 60_000;

/** What the hosts really have for a value. `undefined`: nothing yet. */
export type LiveValue = (id: string) => Promise<string | undefined>;

/** Lines of what a failing command has said that are shown: its first ones and its last ones, so many of each. */
const LINES_SHOWN = 2;
/** Longer than the words of any command about what it could not do. */
const SHOWN_MOST = 500;
/** Longer than an answer, and than the line of a screen that it stands in. */
const ANSWER_SHOWN = 160;
/** Commands of a scenario that failed and are told: the first ones, whose failure may be why others fail. */
const FAILED_SHOWN = 2;

/** Does for a learner what pages and scenarios ask for, and keeps the screen that was looked at last. */
export class ActionRunner {
  readonly #lab: Lab;
  readonly #learner: Learner;
  readonly #liveValue: LiveValue | undefined;
  #screen = '';
  #failed: string[] = [];
  #answered: string | undefined;

  /**
   * @param liveValue where given, a value is used once the page shows what the hosts have; otherwise as soon as the page
   * shows one
   */
  constructor(lab: Lab, learner: Learner, liveValue?: LiveValue) {
    this.#lab = lab;
    this.#learner = learner;
    this.#liveValue = liveValue;
  }

  /** Something else begins: what was done for it so far is no longer told. */
  begin(): void {
    this.#failed = [];
    this.#answered = undefined;
  }

  /** What a failure is told with: which commands of a scenario failed, and what was answered last. */
  get told(): readonly string[] {
    return [...this.#failed.slice(0, FAILED_SHOWN), ...(this.#answered ? [this.#answered] : [])];
  }

  /** Does what a page asks for. @throws ExpectationFailed where it does not go as a page may rely on */
  async follow(action: StepAction): Promise<void> {
    switch (action.kind) {
      case 'run':
        return this.#run(action, (command, status, isToFail) => {
          throw new ExpectationFailed(
            `“${command}” to ${isToFail ? 'fail' : 'succeed'}`,
            endOf(status, this.#screen),
          );
        });
      case 'interrupt':
        return this.#interrupt(action.host);
      case 'open':
        return this.#open(action.url);
      case 'answer': {
        const { check, text } = action;
        if (text === undefined) {
          const what = `${check} to say where its answer stands`;
          throw new ExpectationFailed(what, 'neither “reads” nor “solution”');
        }
        await this.#answer(check, text);
      }
    }
  }

  /** Does what a scenario of a check asks for; its commands may fail, those of mistakes often do: {@link told} has them. */
  async go(actions: readonly Action[], check: string): Promise<void> {
    for (const action of actions) {
      switch (action.kind) {
        case 'run':
          await this.#run(action, (command, status) => {
            this.#failed.push(`“${cut(command)}” had ${endOf(status, this.#screen)}`);
          });
          break;
        case 'interrupt':
          await this.#interrupt(action.host);
          break;
        case 'open':
          await this.#open(action.url);
          break;
        case 'answer':
          await this.#answer(check, action.text);
      }
    }
  }

  /** Each command of a block at a prompt of its own, as the page's Run and the guide do it. */
  async #run(
    { host, command: block, stays, second, fails }: Extract<Action, { kind: 'run' }>,
    onFailure?: (command: string, status: number | undefined, isToFail: boolean) => void,
  ): Promise<void> {
    const commands = commandsOf(await this.#filledIn(block));
    const terminal = await this.#free(this.#hostNamed(host), second ? 1 : 0);
    this.#screen = '';
    for (const [index, command] of commands.entries()) {
      const isEnd = index === commands.length - 1;
      if (stays && isEnd) {
        this.#screen += await terminal.stay(command);
        continue;
      }
      const { status, screen } = await terminal.run(command);
      this.#screen += screen;
      const isToFail = isEnd && fails === true;
      if ((status !== 0) !== isToFail) onFailure?.(command, status, isToFail);
    }
  }

  /** The host's first terminal, from one on, in which no command stays. */
  async #free(host: string, from: number): Promise<TerminalClient> {
    for (let nth = 0; ; nth++) {
      const terminal = await this.#learner.terminal(host, nth);
      if (nth >= from && !terminal.isBusy) return terminal;
    }
  }

  async #interrupt(name: string): Promise<void> {
    const terminals = await this.#learner.terminals(this.#hostNamed(name));
    const busy = terminals.findLast(({ isBusy }) => isBusy);
    if (!busy) {
      throw new ExpectationFailed(`a command that stays on ${name}, to end it with Ctrl-C`, 'none');
    }
    await busy.interrupt();
  }

  #hostNamed(name: string): string {
    const host = hostNamed(this.#lab, name);
    if (!host) throw new ExpectationFailed(`a host named ${name}`, 'none in lab.ts');
    return host.name;
  }

  async #open(url: string): Promise<void> {
    const { text } = await this.#learner.visit(await this.#filledIn(url));
    this.#screen = text;
  }

  async #answer(check: string, text: string | RegExp): Promise<void> {
    const { answer, line } =
      typeof text === 'string'
        ? { answer: await this.#filledIn(text), line: undefined }
        : this.#readOff(text);
    const from = line === undefined ? '' : `, read from “${cut(line.trim())}”`;
    this.#answered = `answered “${cut(answer)}”${from}`;
    await this.#learner.answer(check, answer);
  }

  #readOff(reads: RegExp): { readonly answer: string; readonly line: string } {
    const found = readWithLine(reads, this.#screen);
    if (found !== undefined) return found;
    const screen = this.#screen.trim();
    throw new ExpectationFailed(
      `the answer on the screen, by ${reads}`,
      screen === '' ? 'an empty screen' : `“${screen}”`,
    );
  }

  /** A text with the values that the page shows. */
  async #filledIn(text: string): Promise<string> {
    const values = new Map<string, string>();
    for (const id of Object.keys(this.#lab.values)) {
      if (text.includes(`{${id}}`)) values.set(id, await this.#shown(id));
    }
    return fillIn(text, values);
  }

  async #shown(id: string): Promise<string> {
    const live = await this.#liveValue?.(id);
    if (this.#liveValue && live === undefined) {
      throw new ExpectationFailed(`a text for the value ${id}`, 'none yet');
    }
    const { events } = this.#learner;
    return events.until({
      ms: VALUE_MS,
      what: `the value ${id} to be ${live ?? 'shown'}`,
      look: () => {
        const shown = events.value(id);
        return live === undefined || shown === live ? shown : undefined;
      },
      seen: () => events.value(id) ?? 'none',
    });
  }
}

/** How a command ended, and what it has said. */
function endOf(status: number | undefined, screen: string): string {
  const said = shortened(screen);
  return `exit status ${status}, ${said === '' ? 'without a word' : `“${said}”`}`;
}

/** A text in one line, as far as it is shown. */
function cut(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ⏎ ');
  return line.length > ANSWER_SHOWN ? `${line.slice(0, ANSWER_SHOWN - 1)}…` : line;
}

/** What a command has said, in one line. */
function shortened(screen: string): string {
  const lines = screen.split('\n').flatMap((line) => line.trim() || []);
  const kept =
    lines.length > 2 * LINES_SHOWN
      ? [...lines.slice(0, LINES_SHOWN), '…', ...lines.slice(-LINES_SHOWN)]
      : lines;
  return kept.join(' ⏎ ').slice(0, SHOWN_MOST);
}
