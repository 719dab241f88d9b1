import type { FolderView } from '#protocol';
import { element } from './elements.ts';
import { isWithin } from './open-file.ts';

/** Beneath both, everything on a host is found. */
export const HOME = '/home/learner';
const ROOTS: readonly string[] = [HOME, '/'];

export interface TreeListener {
  /** Lists a folder; `undefined` where that could not be done. */
  list(path: string): Promise<FolderView | undefined>;
  open(path: string): void;
  /** F2. */
  rename(): void;
  /** Delete. */
  remove(): void;
}

/** A file or a folder, as it stands in the tree. */
export interface Row {
  readonly path: string;
  readonly name: string;
  readonly kind: FolderView['entries'][number]['kind'];
  readonly level: number;
}

/** The files of a host, as the ARIA practices have a tree: one tab stop, arrow keys, Home and End, Enter. */
export class Tree {
  readonly element: HTMLElement;
  readonly #listener: TreeListener;
  /** The folders that are open, by their paths. */
  readonly #folders = new Map<string, FolderView>();
  #at = HOME;
  /** The file that is shown. */
  #open = '';

  constructor(label: string, listener: TreeListener) {
    this.#listener = listener;
    this.element = element('ul', { className: 'files-tree', role: 'tree', ariaLabel: label });
    const pathOf = ({ target }: Event) =>
      (target as Element).closest<HTMLElement>('[data-path]')?.dataset.path;
    this.element.addEventListener('click', (event) => {
      const path = pathOf(event);
      if (path !== undefined) void this.#press(path);
    });
    // A screen reader may go to any row by itself.
    this.element.addEventListener('focusin', (event) => {
      this.#at = pathOf(event) ?? this.#at;
      for (const item of this.element.children) {
        const isAt = (item as HTMLElement).dataset.path === this.#at;
        (item as HTMLElement).tabIndex = isAt ? 0 : -1;
      }
    });
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.#paint();
  }

  /** The folder that the learner was in last: where uploads go. */
  get folder(): string {
    if (this.#folders.has(this.#at) || ROOTS.includes(this.#at)) return this.#at;
    return this.#at.slice(0, this.#at.lastIndexOf('/')) || '/';
  }

  /** The file or folder that the learner was at last; none for the two roots. */
  get row(): Row | undefined {
    return this.#rows().find(({ path, level }) => path === this.#at && level > 1);
  }

  /** A file or a folder has another path, or none any more: then the folder above it is next. */
  follow(path: string, to: string | undefined): void {
    for (const [folder, view] of [...this.#folders]) {
      if (!isWithin(folder, path)) continue;
      this.#folders.delete(folder);
      if (to !== undefined) this.#folders.set(to + folder.slice(path.length), view);
    }
    this.#at = to ?? (path.slice(0, path.lastIndexOf('/')) || '/');
  }

  /** Puts the focus where the learner was last. */
  focus(): void {
    this.#item(this.#at)?.focus();
  }

  /** Lists the open folders as they are now. */
  async refresh(): Promise<void> {
    const open = this.#folders.size === 0 ? [HOME] : [...this.#folders.keys()];
    for (const path of open) {
      const view = await this.#listener.list(path);
      if (view) this.#folders.set(path, view);
      else this.#folders.delete(path);
    }
    this.#paint();
  }

  /** Marks the file that is shown. */
  mark(path: string): void {
    this.#open = path;
    this.#paint();
  }

  async #press(path: string): Promise<void> {
    this.#at = path;
    const kind = this.#rows().find((row) => row.path === path)?.kind;
    if (kind === 'file') this.#listener.open(path);
    else if (kind === 'folder') await this.#toggle(path);
    this.#paint();
  }

  async #toggle(path: string): Promise<void> {
    if (this.#folders.delete(path)) return;
    const view = await this.#listener.list(path);
    if (view) this.#folders.set(path, view);
  }

  #rows(): readonly Row[] {
    const within = (path: string, level: number): readonly Row[] =>
      (this.#folders.get(path)?.entries ?? []).flatMap(({ name, kind }) => {
        const own = `${path === '/' ? '' : path}/${name}`;
        // The learner's home is a root of its own.
        if (ROOTS.includes(own)) return [];
        return [{ path: own, name, kind, level }, ...within(own, level + 1)];
      });
    return ROOTS.flatMap((path) => {
      const name = path === HOME ? 'Home (~)' : 'All of the host (/)';
      return [{ path, name, kind: 'folder' as const, level: 1 }, ...within(path, 2)];
    });
  }

  #paint(): void {
    const rows = this.#rows();
    if (!rows.some(({ path }) => path === this.#at)) this.#at = this.folder;
    if (!rows.some(({ path }) => path === this.#at)) this.#at = HOME;
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(
      ...rows.map(({ path, name, kind, level }) => {
        const item = element('li', { role: 'treeitem', className: `file-${kind}` }, name);
        item.dataset.path = path;
        item.tabIndex = path === this.#at ? 0 : -1;
        item.ariaLevel = String(level);
        item.ariaSelected = String(path === this.#open);
        item.style.setProperty('--level', String(level));
        if (kind === 'folder') item.ariaExpanded = String(this.#folders.has(path));
        if (kind === 'other') item.ariaDisabled = 'true';
        return item;
      }),
    );
    if (hadFocus) this.#item(this.#at)?.focus();
  }

  #item(path: string): HTMLElement | undefined {
    return [...this.element.children].find(
      (item): item is HTMLElement => (item as HTMLElement).dataset.path === path,
    );
  }

  #onKey(event: KeyboardEvent): void {
    const rows = this.#rows();
    const at = rows.findIndex(({ path }) => path === this.#at);
    const row = rows[at];
    if (!row) return;
    if (event.key === 'F2') this.#listener.rename();
    if (event.key === 'Delete') this.#listener.remove();
    const isOpen = this.#folders.has(row.path);
    const above = rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
    const goTo: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      ...(!isOpen && { ArrowLeft: above }),
      ...(isOpen && { ArrowRight: at + 1 }),
    };
    const presses = ['Enter', ' '].includes(event.key);
    const toggles = event.key === (isOpen ? 'ArrowLeft' : 'ArrowRight') && row.kind === 'folder';
    if (!presses && !toggles && !(event.key in goTo)) return;
    event.preventDefault();
    const next = rows[goTo[event.key] ?? -1];
    if (presses || toggles) void this.#press(row.path);
    else if (next) {
      this.#at = next.path;
      this.#paint();
    }
  }
}
