import type { RosterLearner, TerminalView } from '#protocol';
import { set, setText } from '../set.ts';
import type { TerminalPane } from '../terminal/pane.ts';

/** Looks at one terminal of a learner's at a time, in a dialog. The learner sees that it is so. */
export class Watching {
  readonly #dialog: HTMLDialogElement;
  #pane: TerminalPane | undefined;
  #learner: string | undefined;

  constructor(dialog: HTMLDialogElement) {
    this.#dialog = dialog;
    dialog.addEventListener('close', () => this.#stop());
    dialog
      .querySelector('[data-watching="close"]')
      ?.addEventListener('click', () => dialog.close());
  }

  async open(learner: RosterLearner, lab: string, { id, title }: TerminalView): Promise<void> {
    this.#stop();
    this.#learner = learner.id;
    this.#part('title').textContent = `${learner.name}: ${title}`;
    this.#dialog.showModal();
    // The terminal's code is large, and many an instructor never watches.
    const { TerminalPane } = await import('../terminal/pane.ts');
    if (this.#learner !== learner.id || !this.#dialog.open) return;
    this.#pane = new TerminalPane(this.#part('screen'), {
      url: `/api/class/learners/${learner.id}/labs/${lab}/terminals/${id}`,
      label: `${learner.name}, ${title}`,
    });
    this.update(learner);
    this.#pane.show();
    this.#pane.focus();
  }

  /** The learner may have changed their mind about typing. */
  update({ id, mayType, name }: RosterLearner): void {
    if (id !== this.#learner) return;
    this.#pane?.allowTyping(mayType);
    setText(
      this.#part('may'),
      mayType
        ? `${name} lets you type.`
        : `You can only look. ${name} can let you type, in the menu “Class” of the lab’s page.`,
    );
    set(this.#dialog.dataset, 'mayType', String(mayType));
  }

  #stop(): void {
    this.#pane?.dispose();
    this.#pane = undefined;
    this.#learner = undefined;
  }

  #part(name: string): HTMLElement {
    return this.#dialog.querySelector(`[data-watching="${name}"]`) as HTMLElement;
  }
}
