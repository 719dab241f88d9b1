import type { RunView } from '#protocol';
import { hostNameOf, type LabData } from '../lab-data.ts';
import type { LabState, LabView } from '../lab-state.ts';
import { set } from '../set.ts';

/** A command may be over before the second click of two: so long after the first, a click is none of its own (ms). */
const DOUBLE_CLICK_MS = 600;

/** The workspace, as far as blocks are run in it. */
interface Stage {
  run(host: string, block: string, second: boolean): Promise<void>;
  showTerminal(id: string): Promise<void>;
  say(text: string): void;
}

/** The Run buttons of blocks and reasons: each is held from its press until the block's last command has ended. */
export class RunButtons {
  readonly #stage: Stage;
  readonly #state: LabState;
  readonly #lab: () => LabData;
  /** Those that were pressed a moment ago, by host and block. */
  readonly #pressed = new Set<string>();

  constructor(stage: Stage, state: LabState, lab: () => LabData) {
    this.#stage = stage;
    this.#state = state;
    this.#lab = lab;
  }

  /** Has a block typed; one that runs is brought to the front. */
  async press(button: HTMLElement): Promise<void> {
    const { host, block, key } = this.#of(button);
    if (this.#pressed.has(key)) return;
    const running = runOf(this.#state.view, host, block);
    if (running) {
      await this.#stage.showTerminal(running.terminal);
      this.#stage.say('It is still running here. Ctrl+C in the terminal ends it.');
      return;
    }
    this.#pressed.add(key);
    this.paint(document, this.#state.view);
    const passed = new Promise((resolve) => setTimeout(resolve, DOUBLE_CLICK_MS));
    try {
      await this.#stage.run(host, block, 'runSecond' in button.dataset);
      await passed;
    } finally {
      this.#pressed.delete(key);
      this.paint(document, this.#state.view);
    }
  }

  /** Shows which of a page's buttons are held. Not `disabled`: one may have the focus. */
  paint(page: ParentNode, view: LabView): void {
    for (const button of page.querySelectorAll<HTMLElement>('[data-run-host]')) {
      const { host, block, key } = this.#of(button);
      const isHeld = this.#pressed.has(key) || runOf(view, host, block) !== undefined;
      set(button, 'ariaDisabled', isHeld ? 'true' : null);
      if (isHeld !== button.hasAttribute('data-running')) button.toggleAttribute('data-running');
    }
  }

  #of({ dataset }: HTMLElement): { host: string; block: string; key: string } {
    const host = hostNameOf(this.#lab(), dataset.runHost ?? '');
    const block = dataset.runCode ?? '';
    return { host, block, key: JSON.stringify([host, block]) };
  }
}

function runOf({ snapshot }: LabView, host: string, block: string): RunView | undefined {
  return snapshot?.runs.find((run) => run.host === host && run.block === block);
}
