import type { FilesPane } from '../editor/files-pane.ts';
import type { Tabs } from './tabs.ts';

/** The editor's code is large: it comes with the first tab of files. */
let loading: Promise<typeof import('../editor/files-pane.ts')> | undefined;

interface FilesTab {
  readonly panel: HTMLElement;
  /** None where its code could not be fetched. */
  readonly pane: Promise<FilesPane | undefined>;
}

/** The tabs that show hosts' files, one for each host at most. */
export class FilesTabs {
  readonly #lab: string;
  readonly #tabs: Tabs;
  readonly #panels: HTMLElement | null;
  readonly #open = new Map<string, FilesTab>();

  /** @param panels where the tabs' panels stand */
  constructor(lab: string, tabs: Tabs, panels: HTMLElement | null) {
    this.#lab = lab;
    this.#tabs = tabs;
    this.#panels = panels;
  }

  get ids(): readonly string[] {
    return [...this.#open.keys()];
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** The tab of a host's files; made where there is none. @returns its id */
  add(host: string): string {
    const id = `files-${host}`;
    if (this.#open.has(id)) return id;
    const panel = document.createElement('div');
    panel.className = 'panel files-panel';
    panel.id = `panel-${id}`;
    this.#panels?.prepend(panel);
    loading ??= import('../editor/files-pane.ts');
    const pane = loading.then(
      ({ FilesPane }) =>
        new FilesPane(panel, this.#lab, host, (dirty) => this.#tabs.note(id, dirty ? '●' : '')),
      () => {
        loading = undefined;
        panel.textContent = 'The editor could not be fetched. Reload the page.';
        return undefined;
      },
    );
    this.#open.set(id, { panel, pane });
    this.#tabs.add({ id, name: `Files of ${host}`, panel, closable: true });
    return id;
  }

  /** Opens a file in a tab and puts a text into it, or puts the focus on what it shows. */
  async show(id: string, path?: string, text?: string): Promise<void> {
    const pane = await this.#open.get(id)?.pane;
    if (path !== undefined) await pane?.open(path, text);
    pane?.focus();
  }

  /** What is shown is what there is: a tab has come to the front, or the hosts are fresh. */
  async refresh(ids = this.ids): Promise<void> {
    for (const id of ids) await (await this.#open.get(id)?.pane)?.refresh();
  }

  /** Closes a tab, unless there is text in it that the learner wants to keep. */
  async close(id: string): Promise<void> {
    const tab = this.#open.get(id);
    if (!tab) return;
    const pane = await tab.pane;
    if (pane && !(await pane.mayClose())) return;
    this.#open.delete(id);
    this.#tabs.remove(id);
    pane?.dispose();
    tab.panel.remove();
  }
}
