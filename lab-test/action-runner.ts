import { type Action, fillIn, hostNamed, type Lab } from '#lab';
import type { Deed } from '#steps';
import { readOff } from '../server/labs/screen-text.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import type { Learner } from './learner.ts';
import type { Probe } from './probe.ts';

/** A value that has changed on the hosts is on the page well within this. */
const VALUE_MS = 30_000;

/** Does what pages and ways ask for, and keeps the screen that was looked at last. */
export class Doer {
  readonly #lab: Lab;
  readonly #learner: Learner;
  readonly #probe: Probe;
  #screen = '';

  constructor(lab: Lab, learner: Learner, probe: Probe) {
    this.#lab = lab;
    this.#learner = learner;
    this.#probe = probe;
  }

  /** Does what a page asks for. @throws Mismatch where it does not go as a page may rely on */
  async follow(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'run': {
        const status = await this.#run(deed.host, deed.command);
        if (status === 0) return;
        const says = this.#screen.trim().split('\n').at(-1) ?? '';
        throw new ExpectationFailed(
          `“${deed.command}” to succeed`,
          `exit status ${status}, “${says}”`,
        );
      }
      case 'open':
        return this.#open(deed.url);
      case 'answer': {
        const reads = this.#lab.checks.find(({ id }) => id === deed.check)?.reads;
        if (!reads)
          throw new ExpectationFailed(`${deed.check} to say where its answer stands`, 'no “reads”');
        await this.#learner.answer(deed.check, this.#readOff(reads));
      }
    }
  }

  /** Goes a way of a check; commands may fail, wrong ones often do. */
  async go(deeds: readonly Action[], check: string): Promise<void> {
    for (const deed of deeds) {
      switch (deed.kind) {
        case 'run':
          await this.#run(deed.host, await this.#filledIn(deed.command));
          break;
        case 'open':
          await this.#open(deed.url);
          break;
        case 'answer':
          await this.#learner.answer(
            check,
            typeof deed.text === 'string'
              ? await this.#filledIn(deed.text)
              : this.#readOff(deed.text),
          );
      }
    }
  }

  async #run(name: string, command: string): Promise<number> {
    const host = hostNamed(this.#lab, name);
    if (!host) throw new ExpectationFailed(`a host named ${name}`, 'none in lab.ts');
    const shell = await this.#learner.shell(host.name);
    const { status, screen } = await shell.run(command);
    this.#screen = screen;
    return status;
  }

  async #open(url: string): Promise<void> {
    const { text } = await this.#learner.visit(await this.#filledIn(url));
    this.#screen = text;
  }

  #readOff(reads: RegExp): string {
    const found = readOff(reads, this.#screen);
    if (found !== undefined) return found;
    const screen = this.#screen.trim();
    throw new ExpectationFailed(
      `the answer on the screen, by ${reads}`,
      screen === '' ? 'an empty screen' : `“${screen}”`,
    );
  }

  /** A deed's text with the values that the page shows, once those are the ones that the hosts have. */
  async #filledIn(text: string): Promise<string> {
    const values = new Map<string, string | undefined>();
    for (const id of Object.keys(this.#lab.values)) {
      if (!text.includes(`{${id}}`)) continue;
      const live = await this.#probe.value(id);
      if (live === undefined) throw new ExpectationFailed(`a text for the value ${id}`, 'none yet');
      await this.#learner.until(
        `the value ${id} to be ${live}`,
        VALUE_MS,
        () => this.#learner.value(id) === live || undefined,
        () => `${this.#learner.value(id)}`,
      );
      values.set(id, live);
    }
    return fillIn(text, values);
  }
}
